"""Brings documents to disk one state after the other; states that wait for the same document are written once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rsession.services.background import Background
from rsession.services.document import Document
from rsession.services.source_database import SourceDatabase


@dataclass
class _Work:
    """Disk work on one document that has not begun; `document` None puts it away."""

    document: Document | None
    with_properties: bool
    waiters: "list[Deferred[None]]" = field(default_factory=list)


class DocumentWriter:
    """Order is kept per document; different documents do not wait for each other."""

    def __init__(self, database: SourceDatabase, background: Background) -> None:
        self._database = database
        self._background = background
        self._waiting: dict[str, _Work] = {}
        self._at_work: set[str] = set()

    def write(self, document: Document, with_properties: bool) -> "Deferred[None]":
        """Fires once this state or a later one is on disk; fails with OSError."""
        return self._add(document.id, document, with_properties)

    def close(self, id_: str) -> "Deferred[None]":
        """Put the document's files away."""
        return self._add(id_, None, True)

    def _add(self, id_: str, document: Document | None, with_properties: bool) -> "Deferred[None]":
        work = self._waiting.setdefault(id_, _Work(document, with_properties))
        work.document = document
        work.with_properties = work.with_properties or with_properties
        done: Deferred[None] = Deferred()
        work.waiters.append(done)
        self._begin(id_)
        return done

    def _begin(self, id_: str) -> None:
        if id_ in self._at_work or id_ not in self._waiting:
            return
        work = self._waiting.pop(id_)
        self._at_work.add(id_)
        self._background(self._task(id_, work)).addBoth(self._finish, id_, work)

    def _task(self, id_: str, work: _Work) -> Callable[[], None]:
        document = work.document
        if document is None:
            return lambda: self._database.close(id_)
        return lambda: self._database.write(document, work.with_properties)

    def _finish(self, result: Failure | None, id_: str, work: _Work) -> None:
        self._at_work.discard(id_)
        if isinstance(result, Failure) and work.with_properties and id_ in self._waiting:
            self._waiting[id_].with_properties = True
        self._begin(id_)
        for waiter in work.waiters:
            waiter.callback(result)  # a Failure makes it fail
