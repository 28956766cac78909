"""How the server is, for programs that watch it."""

from collections.abc import Callable
from dataclasses import dataclass

from rserver.remote.messages import Status
from rserver.sessions.session import REMOTE
from rserver.sessions.table import SessionTable


@dataclass(slots=True)
class ServerStatus:
    """master_is_there: whether sessions can be started."""

    table: SessionTable
    master_is_there: Callable[[], bool]

    def shown(self) -> Status:
        """pass, or fail when no session can be started."""
        starts = "pass" if self.master_is_there() else "fail"
        running = sum(1 for session in self.table if session.is_alive and session.door == REMOTE)
        backends = {
            "statusCode": starts,
            "components": {},
            "details": {"rActiveShellCount": running, "rCanOpenShell": str(starts == "pass")},
        }
        passes: dict[str, object] = {"statusCode": "pass", "components": {}, "details": {}}
        return Status(starts, {"backends": backends, "authentication": passes, "database": passes}, {})
