from pathlib import Path

import pytest

from rsession.services.history import append_lines, read_commands
from tests.rsession.running import RunningSession, ready
from tests.rsession.services.conftest import Desk


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history_database"
    append_lines(path, ["1700000000000:a <- 'x:y'\n"])
    append_lines(path, ["1700000000001:b # é😀\n"])
    assert read_commands(path) == ["a <- 'x:y'", "b # é😀"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_large_file_is_set_aside_and_still_read(tmp_path: Path) -> None:
    path = tmp_path / "history_database"
    append_lines(path, [f"1:{'x' * 1000}\n"] * 800)
    append_lines(path, ["2:new\n"])
    assert path.read_text() == "2:new\n"
    assert (tmp_path / "history_database.1").stat().st_size > 750 * 1024
    assert len(read_commands(path)) == 801


def test_lines_of_another_form_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history_database"
    path.write_bytes(b"nonsense\n1:good\n:x\n\xff\xfe\n12345678901234567890:x\n3:bad \xff\n")
    assert read_commands(path) == ["good", "bad \ufffd"]


def test_no_history_is_an_empty_one(tmp_path: Path) -> None:
    assert read_commands(tmp_path / "nothing") == []


@pytest.mark.r
def test_commands_are_kept_answers_to_questions_are_not(desk: Desk) -> None:
    desk.session.type("f <- function(x) {\n  x\n}")
    desk.events.wait_for_prompt()
    desk.session.type('secret <- readline("Password: ")')
    desk.events.wait_for_prompt("Password: ")
    desk.session.type("hunter2")
    desk.events.wait_for_prompt()
    assert desk.call("get_history", 4) == ["f <- function(x) {", "  x", "}", 'secret <- readline("Password: ")']


@pytest.mark.r
@pytest.mark.parametrize("limit", [0, -1, 5001])
def test_the_limit_is_bounded(desk: Desk, limit: int) -> None:
    assert desk.error("get_history", limit)["code"] == 10


@pytest.mark.r
def test_the_next_session_knows_the_commands_of_the_last() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("1 + 1")
        stream.wait_for_prompt()
        session.call("quit_session")
        stream.close()
        session.process.wait(30)  # type: ignore[union-attr]
        lines = (session.home / ".local/share/rstudio/history_database").read_text().splitlines()
        assert lines[0].partition(":")[2] == "1 + 1"
        assert len(lines[0].partition(":")[0]) == 13
