"""What stands against suspending a session, each with its reason."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsession.workspace import sentences
from rsession.workspace.children import child_names

if TYPE_CHECKING:
    from rsession.session import Session


@dataclass(frozen=True)
class Blocker:
    """`kind` for programs, `reason` for the person."""

    kind: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """For an answer."""
        return {"kind": self.kind, "reason": self.reason}


def at_the_console(session: "Session") -> list[Blocker]:
    """Reasons for which R need not be asked."""
    console = session.console
    if console.is_busy or console.prompt is None:
        return [Blocker("busy", "R is working.")]
    if not console.is_idle_at_top:
        return [
            Blocker("prompt", f"R waits for an answer at the prompt {console.prompt.strip()!r}, or input is queued.")
        ]
    if console.prompt.startswith("+"):
        return [Blocker("prompt", "A statement at the console is not complete.")]
    return []


async def of_r(session: "Session") -> list[Blocker]:
    """Connections, sinks and running children."""
    found = json.loads(await session.jobs.call("workspace_blockers"))
    blockers = []
    if found["connections"]:
        names = sentences.listing(found["connections"])
        blockers.append(Blocker("connections", f"Connections are open: {names}."))
    if found["sinks"] or found["message_sink"]:
        blockers.append(Blocker("sink", "Output is being diverted by sink()."))
    children = child_names()
    if children:
        blockers.append(Blocker("children", f"Processes started by R still run: {sentences.listing(children)}."))
    return blockers


def pointers(lost: object) -> list[Blocker]:
    """Objects that hold something outside of R."""
    names = lost.get("pointers") if isinstance(lost, dict) else None
    if not names:
        return []
    text = f"Objects connected to something outside of R would not come back whole: {sentences.listing(names)}."
    return [Blocker("external_pointers", text)]
