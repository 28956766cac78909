"""R says little when it cannot read `.RData` at its start."""

import os
from typing import TYPE_CHECKING

from rsession.working_directory import working_directory
from rsession.workspace import sentences

if TYPE_CHECKING:
    from rsession.session import Session

_NAME = ".RData"
_MOST_CHARACTERS = 65536


class ImageReading:
    """Looks at what R complains of until its first prompt: in every language it names the file."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._complaints: str | None = ""
        session.console.on_text.append(self._shown)
        session.on_prompt(self._begun)

    def _shown(self, kind: str, text: str) -> None:
        if kind == "error" and self._complaints is not None:
            self._complaints = (self._complaints + text)[-_MOST_CHARACTERS:]

    def _begun(self) -> None:
        complaints, self._complaints = self._complaints, None
        path = f"{working_directory()}/{_NAME}"
        if complaints and _NAME in complaints and os.path.lexists(path):
            text = sentences.unreadable_image(path)
            self._session.events.emit("show_message", {"kind": "error", "text": text})
