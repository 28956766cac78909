"""What the console showed is there after a kill, and what happened between two processes is said once."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rsession.services.background import Background
from rsession.workspace.console_file import ConsoleFile
from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, resume, store_of


class Shown:
    """A console that shows these lines."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, str]] = []

    def actions(self) -> list[dict[str, str]]:
        return [{"type": kind, "text": text} for kind, text in self.pieces]


def now(function: Any, *args: Any, **kwargs: Any) -> "Deferred[Any]":
    function(*args, **kwargs)
    return succeed(None)


def a_file(folder: Path, shown: Shown, background: Background = now) -> ConsoleFile:
    file = ConsoleFile(str(folder), shown, Clock(), background)
    file.begin()
    return file


def show(file: ConsoleFile, shown: Shown, kind: str, text: str) -> None:
    shown.pieces.append((kind, text))
    file.add(kind, text)
    file._clock.advance(1)  # type: ignore[attr-defined]


def read(folder: Path) -> list[tuple[str, str]]:
    return ConsoleFile(str(folder), Shown(), Clock(), now).read()


def test_each_piece_is_on_the_disk_at_once(tmp_path: Path) -> None:
    shown = Shown()
    file = a_file(tmp_path, shown)
    for number in range(5):
        show(file, shown, "output", f"line {number}\n")
        if number == 2:
            file.write_all()
        assert read(tmp_path) == shown.pieces


def test_a_line_that_was_cut_off_costs_that_line_alone(tmp_path: Path) -> None:
    shown = Shown()
    show(a_file(tmp_path, shown), shown, "output", "whole\n")
    with (tmp_path / "console-0.rest").open("ab") as file:
        file.write(b'["output", "cut of')
    show(a_file(tmp_path, shown), shown, "error", "next\n")
    assert read(tmp_path) == [("output", "whole\n"), ("error", "next\n")]


def test_what_comes_faster_than_it_is_written_is_bounded(tmp_path: Path) -> None:
    waiting: list[Deferred[Any]] = []
    batches: list[list[tuple[str, str]]] = []

    def slowly(function: Any, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        batches.append(args[1])
        waiting.append(Deferred())
        return waiting[-1]

    shown = Shown()
    file = a_file(tmp_path, shown, slowly)
    for number in range(100):
        show(file, shown, "output", f"{number:04d}" * 10_000)
    waiting[0].callback(None)
    file._clock.advance(1)  # type: ignore[attr-defined]
    assert len(batches) == 2
    assert sum(len(text) for _, text in batches[1]) <= 1 << 20
    assert batches[1][-1][1].startswith("0099")


def test_files_that_no_other_names_are_removed(tmp_path: Path) -> None:
    shown = Shown()
    file = a_file(tmp_path, shown)
    file.write_all()
    (tmp_path / "console-0.rest").write_text("late\n")
    again = ConsoleFile(str(tmp_path), shown, Clock(), now)
    again.read()
    again.begin()
    assert [path.name for path in tmp_path.iterdir()] == ["console.json"]


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    shown = Shown()
    file = a_file(tmp_path, shown)
    file.end()
    show(file, shown, "output", "late\n")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def session() -> Iterator[RunningSession]:
    with RunningSession() as session:
        yield session


def shown_by(session: RunningSession) -> str:
    return "".join(action["text"] for action in session.call("client_init")["console"]["actions"])


@pytest.mark.r
def test_lines_since_the_last_checkpoint_survive_a_kill(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1; cat('before\\n')")
    session.call("checkpoint_session")
    evaluate(session, stream, "cat('after the checkpoint\\n')")
    evaluate(session, stream, "message('and more')")
    end = time.monotonic() + 10
    while not any("and more" in rest.read_text() for rest in store_of(session).glob("console-*.rest")):
        assert time.monotonic() < end
        session.call("get_environment_state")
    os.kill(session.pid, signal.SIGKILL)
    stream = restored(session)
    text = shown_by(session)
    assert "before\n> cat('after the checkpoint\\n')\nafter the checkpoint\n> message('and more')\nand more\n" in text
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    assert re.search(rf"\nR was started again at {moment}, with the objects of {moment}\.\n", text)
    assert text.count("R version") == 1


@pytest.mark.r
def test_a_resumed_session_says_so_instead_of_r_s_banner(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1; cat('half a line')")
    stream = resume(session, stream)
    said = (
        r"half a line\nSession suspended at \d{4}-\d\d-\d\d \d\d:\d\d UTC, resumed at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n"
    )
    assert re.search(said, shown_by(session))
    assert "R version" not in stream.text()
    assert "resumed at" in stream.text("console_write_note")
    stream = resume(session, stream)
    assert shown_by(session).count("resumed at") == 2
