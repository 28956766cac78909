from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rsession.services.document import Document
from rsession.services.document_writer import DocumentWriter


class RecordedDatabase:
    """Remembers what was asked of it; `failure` is raised by the next write."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.failure: OSError | None = None

    def write(self, document: Document, with_properties: bool) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        self.done.append((document.id, document.text, with_properties))

    def close(self, id_: str) -> None:
        self.done.append((id_, "closed"))


class HeldBackground:
    """Work that begins when the test says so."""

    def __init__(self) -> None:
        self._held: list[tuple[Callable[[], object], Deferred[Any]]] = []

    def __call__(self, function: Callable[[], object]) -> "Deferred[Any]":
        self._held.append((function, Deferred()))
        return self._held[-1][1]

    def finish_one(self) -> None:
        function, deferred = self._held.pop(0)
        try:
            deferred.callback(function())
        except OSError:
            deferred.errback(Failure())

    @property
    def waiting(self) -> int:
        return len(self._held)


def document(text: str, id_: str = "00000001") -> Document:
    return Document(id_, 1, 0.0, text=text)


@pytest.fixture
def parts() -> tuple[DocumentWriter, RecordedDatabase, HeldBackground]:
    database, background = RecordedDatabase(), HeldBackground()
    return DocumentWriter(database, background), database, background  # type: ignore[arg-type]


Parts = tuple[DocumentWriter, RecordedDatabase, HeldBackground]


def test_states_that_wait_are_written_once_and_all_answered(parts: Parts) -> None:
    writer, database, background = parts
    answers = [writer.write(document(text), text == "b") for text in "abcd"]
    assert background.waiting == 1
    background.finish_one()
    assert [answer.called for answer in answers] == [True, False, False, False]
    background.finish_one()
    assert all(answer.called for answer in answers)
    assert database.done == [("00000001", "a", False), ("00000001", "d", True)]


def test_documents_do_not_wait_for_each_other(parts: Parts) -> None:
    writer, _, background = parts
    writer.write(document("a"), False)
    writer.write(document("b", "00000002"), False)
    assert background.waiting == 2


def test_closing_comes_after_the_write_that_runs(parts: Parts) -> None:
    writer, database, background = parts
    writer.write(document("a"), True)
    writer.write(document("b"), True)
    closed = writer.close("00000001")
    background.finish_one()
    background.finish_one()
    assert closed.called
    assert database.done == [("00000001", "a", True), ("00000001", "closed")]


def test_a_failed_write_is_told_and_its_properties_are_written_next_time(parts: Parts) -> None:
    writer, database, background = parts
    database.failure = OSError("disk full")
    failures: list[Failure] = []
    writer.write(document("a"), True).addErrback(failures.append)
    after = writer.write(document("b"), False)
    background.finish_one()
    background.finish_one()
    assert failures[0].check(OSError)
    assert after.called
    assert database.done == [("00000001", "b", True)]
