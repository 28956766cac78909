"""After a crash: what came back is offered, until its user decides or the session is suspended."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsession.session import Session

_LAST_END = "RS_LAST_END"
_MOST_CHARACTERS = 2000


class Recovery:
    """The notice that pages show: when and why R ended, and which objects are here again."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._offer: dict[str, object] | None = None
        session.add_to_client_init("recovered", lambda: self._offer)

        @session.rpc.method("keep_restored")
        def keep_restored() -> None:
            """The objects that came back after a crash are to stay: the notice goes away on all pages."""
            self._withdraw()

    def offer(self, report: Mapping[str, object]) -> None:
        """Objects of a process that had not ended properly are here again."""
        facts = {name: report[name] for name in ("objects", "bytes", "created")}
        self._offer = facts | last_end(self._session.environment)
        self._session.events.emit("workspace_recovered", self._offer)

    def _withdraw(self) -> None:
        if self._offer is not None:
            self._offer = None
            self._session.events.emit("recovery_decided", {})


def last_end(environment: Mapping[str, str]) -> dict[str, object]:
    """`{"ended": seconds since 1970 or null, "cause": sentence}` of what the server knows of the end before."""
    try:
        fields = json.loads(environment.get(_LAST_END, ""))
        ended = None if fields["at"] is None else float(fields["at"])
        return {"ended": ended, "cause": str(fields["cause"])[:_MOST_CHARACTERS]}
    except (ValueError, LookupError, TypeError):
        return {"ended": None, "cause": ""}
