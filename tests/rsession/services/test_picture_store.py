from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from rsession.error_code import ErrorCode, RError, RpcError
from rsession.services.picture import PictureSize
from rsession.services.picture_store import PictureStore

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from rsession.service_api import ServiceApi

SIZE = PictureSize(300, 200, 1.5)


class BusyR:
    """Calls that are answered when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.answers: list[Deferred[bytes]] = []

    def call(self, function: str, *args: str) -> "Deferred[bytes]":
        self.calls.append((function, *args))
        self.answers.append(Deferred())
        return self.answers[-1]


@pytest.fixture
def r() -> BusyR:
    return BusyR()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(r: BusyR, clock: Clock, tmp_path: Path) -> PictureStore:
    store = PictureStore(cast("ServiceApi", SimpleNamespace(jobs=r, clock=clock)))
    store.folder = tmp_path
    return store


def test_equal_requests_are_drawn_once(store: PictureStore, r: BusyR) -> None:
    pictures: list[bytes] = []
    for _ in range(3):
        store.draw("ab", SIZE, "name").addCallback(pictures.append)
    store.draw("cd", SIZE, "other")
    assert r.calls == [("plots_picture", "ab", "300", "200", "1.50"), ("plots_picture", "cd", "300", "200", "1.50")]
    r.answers[0].callback(b"png")
    assert pictures == [b"png"] * 3


def test_the_next_request_is_drawn_anew(store: PictureStore, r: BusyR) -> None:
    store.draw("ab", SIZE, "name")
    r.answers[0].callback(b"png")
    store.draw("ab", SIZE, "name")
    assert len(r.calls) == 2


def test_waiting_for_a_busy_r_ends(store: PictureStore, clock: Clock) -> None:
    failures: list[Failure] = []
    store.draw("ab", SIZE, "name").addErrback(failures.append)
    clock.advance(25)
    error = failures[0].value
    assert isinstance(error, RpcError)
    assert error.code == ErrorCode.UNAVAILABLE


def test_an_error_of_r_is_told(store: PictureStore, r: BusyR) -> None:
    failures: list[Failure] = []
    store.draw("ab", SIZE, "name").addErrback(failures.append)
    r.answers[0].errback(RError("This plot does not fit at this size."))
    assert failures[0].check(RError)


def test_pictures_are_found_by_name_and_by_plot(store: PictureStore, tmp_path: Path) -> None:
    name = SIZE.file_name("abcdef01", 2)
    assert name == "abcdef01-2-300x200@150.png"
    assert store.find(name) is None
    assert store.find_any("abcdef01") is None
    (tmp_path / name).write_bytes(b"png")
    assert store.find(name) == store.find_any("abcdef01") == b"png"


def test_before_r_has_started_there_is_nothing(store: PictureStore) -> None:
    store.folder = None
    assert store.find("name") is None
    assert store.find_any("ab") is None
