"""R says little when it cannot read `.RData` at its start."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rsession.working_directory import working_directory
from rsession.workspace import sentences

if TYPE_CHECKING:
    from rsession.session import Session

_NAME = ".RData"
_CALL = "load(name, envir = .GlobalEnv)"
"""R's own, which it names in every language."""
_MOST_CHARACTERS = 65536

Identity = tuple[int, int, int, int]


class ImageReading:
    """Looks at what R complains of until its first prompt: it names the file, or the call that reads it."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._complaints: str | None = ""
        self._unreadable: Identity | None = None
        session.console.on_text.append(self._shown)
        session.on_prompt(self._begun)

    def could_not_read(self, path: Path) -> bool:
        """Whether that file is the one that R could not read, and nobody changed it since."""
        return self._unreadable is not None and self._unreadable == _identity(path)

    def _shown(self, kind: str, text: str) -> None:
        if kind == "error" and self._complaints is not None:
            self._complaints = (self._complaints + text)[-_MOST_CHARACTERS:]

    def _begun(self) -> None:
        complaints, self._complaints = self._complaints, None
        path = Path(working_directory() or "/", _NAME)
        if complaints and (_NAME in complaints or _CALL in complaints) and os.path.lexists(path):
            self._unreadable = _identity(path)
            text = sentences.unreadable_image(str(path))
            self._session.events.emit("show_message", {"kind": "error", "text": text})


def _identity(path: Path) -> Identity | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return None
