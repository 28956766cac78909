"""What this session tells of its user's editor: open files of the project, the one in sight and the line."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rsession.presence.sentry import MOST_OPEN, OpenFile, is_inner_path
from rsession.services.utf16 import prefix

if TYPE_CHECKING:
    from rsession.open_editor import OpenEditor
    from rsession.services.document import Document

_MOST_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class EditorPlace:
    """The editor at one moment. open: path and when its text changed last, head: offset in active's text, or None."""

    open: tuple[OpenFile, ...] = ()
    active: str = ""
    text: str = ""
    head: int | None = None

    @property
    def line(self) -> int:
        """Of the cursor in the active file; 0: not known. Takes as long as the text is large."""
        if self.head is None:
            return 0
        try:
            return prefix(self.text, self.head).count("\n") + 1
        except ValueError:
            return 0


class Changes:
    """When the texts of documents were last changed."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._known: dict[str, tuple[int, float]] = {}
        self._texts: dict[str, tuple[str, float]] = {}

    def show_text(self, document: str, epoch: str, since: float) -> bool:
        """What a document shows of a text that several edit; whether that is new."""
        before = self._texts.get(document, ("", 0.0))
        self._texts[document] = (epoch, since)
        return before != (epoch, since)

    def place(self, editor: "OpenEditor") -> EditorPlace:
        """Where the user is now."""
        documents = [document for document in editor.documents() if document.path is not None]
        self._follow(documents)
        open_files = tuple(self._open_file(document) for document in documents)
        active = next((document for document in documents if document.id == editor.active), None)
        if active is None:
            return EditorPlace(open_files)
        return EditorPlace(open_files, active.path or "", active.text, editor.heads.get(active.id))

    def _follow(self, documents: "Iterable[Document]") -> None:
        before = self._known
        self._known = {}
        for document in documents:
            revision, changed = before.get(document.id, (document.revision, document.created * document.is_dirty))
            if document.revision != revision:
                changed = self._now() if document.is_dirty else 0.0
            self._known[document.id] = (document.revision, changed)
        self._texts = {id_: shown for id_, shown in self._texts.items() if id_ in self._known}

    def _open_file(self, document: "Document") -> OpenFile:
        shown = self._texts.get(document.id, ("", 0.0))
        return OpenFile(document.path or "", self._known[document.id][1], document.is_dirty, document.id, *shown)


class InnerPaths:
    """Paths from the project's folder; of files that lie elsewhere nothing is told. Blocking."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._known: dict[str, str] = {}

    def told(self, place: EditorPlace) -> tuple[str, tuple[OpenFile, ...]]:
        """The active file (empty: none of the project) and all open ones, the active one surely among them."""
        active = self.of(place.active) if place.active else ""
        inner = [replace(each, path=path) for each in place.open if (path := self.of(each.path))]
        inner.sort(key=lambda each: each.path != active)
        return active, tuple(inner[:MOST_OPEN])

    def of(self, path: str) -> str:
        """Empty for one outside, and for one whose name cannot be told."""
        if path not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            inner = os.path.relpath(os.path.realpath(path), os.path.realpath(self._project))
            self._known[path] = inner if is_inner_path(inner) else ""
        return self._known[path]
