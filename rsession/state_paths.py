"""Where a session keeps what must outlive it, inside the home of its user."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StatePaths:
    """Folders of one session; nothing is created here, whoever writes makes its folder (mode 0700)."""

    state: Path
    """Shared by all sessions of the user: `~/.local/share/rstudio`, or `~/.rstudio` when that exists."""
    session_id: str
    """The 8 hexadecimal digits that name this session below the state folder."""

    @property
    def sources(self) -> Path:
        """Open documents of this session."""
        return self.state / "sources" / f"session-{self.session_id}"

    @classmethod
    def of_home(cls, home: Path, session_id: str) -> "StatePaths":
        """`session_id` is the whole id of the URL (21 digits) or its last eight."""
        old_place = home / ".rstudio"
        state = old_place if old_place.is_dir() else home / ".local" / "share" / "rstudio"
        return cls(state, session_id[-8:])
