"""Where a session keeps what must outlive it, inside the home of its user."""

from dataclasses import dataclass
from pathlib import Path

from rsession.state_home import state_home


@dataclass(frozen=True)
class StatePaths:
    """Folders of one session; nothing is created here, whoever writes makes its folder (mode 0700)."""

    state: Path
    """Shared by all sessions of the user, see `state_home`."""
    session_id: str
    """The 8 hexadecimal digits that name this session below the state folder."""

    @property
    def sources(self) -> Path:
        """Open documents of this session; never in its project, where others may write or come to do so."""
        return self.state / "sources" / f"session-{self.session_id}"

    @classmethod
    def of_home(cls, home: Path, session_id: str) -> "StatePaths":
        """`session_id` is the whole id of the URL (21 digits) or its last eight."""
        return cls(Path(state_home(str(home)).path), session_id[-8:])
