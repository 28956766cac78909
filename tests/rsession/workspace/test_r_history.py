"""history() and its kin, `.Rhistory`, and what survives the end of a process."""

import os
import signal

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import store_of, suspend

pytestmark = pytest.mark.r


def again(session: RunningSession) -> EventStream:
    session.launch()
    return ready(session)


def quit_session(session: RunningSession, stream: EventStream) -> None:
    session.call("quit_session")
    stream.wait_for_type("quit")
    session.process.wait(20)  # type: ignore[union-attr]


def lines(session: RunningSession) -> list[str]:
    return (session.home / ".Rhistory").read_text().splitlines()


def test_history_shows_what_was_typed_and_not_what_was_answered() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 'ä'")
        evaluate(session, stream, "readline('Password: ')", "Password: ")
        evaluate(session, stream, "hunter2")
        shown = evaluate(session, stream, "history()")
        assert shown.split("\n")[:3] == ["x <- 'ä'", "readline('Password: ')", "history()"]
        shown = evaluate(session, stream, "history(pattern = 'Pass', max.show = Inf, reverse = TRUE)")
        assert "x <-" not in shown


def test_saving_loading_and_stamping() -> None:
    with RunningSession() as session:
        stream = ready(session)
        (session.home / "other").write_text("a <- 1\nb <- 2\n")
        evaluate(session, stream, "loadhistory('~/other')")
        assert evaluate(session, stream, "timestamp(stamp = 'now')").strip() == "##------ now ------##"
        evaluate(session, stream, "savehistory('saved')")
        saved = (session.home / "saved").read_text()
        stamp = "timestamp(stamp = 'now')\n##------ now ------##\nsavehistory('saved')\n"
        assert saved == f"a <- 1\nb <- 2\n{stamp}"
        evaluate(session, stream, "loadhistory('nowhere')")
        evaluate(session, stream, "savehistory('/nowhere/at/all')")
        assert "cannot read the history from 'nowhere': No such file" in stream.text("console_write_error")
        assert "cannot write the history to '/nowhere/at/all'" in stream.text("console_write_error")
        evaluate(session, stream, "savehistory('saved')")
        assert (session.home / "saved").read_text().startswith("a <- 1\n")


def test_the_file_is_read_at_the_start_and_written_at_the_end() -> None:
    with RunningSession(environment={"R_HISTSIZE": "4"}) as session:
        stream = ready(session)
        evaluate(session, stream, "1\n2\nsetwd(tempdir())")
        quit_session(session, stream)
        assert lines(session) == ["1", "2", "setwd(tempdir())"]
        stream = again(session)
        assert evaluate(session, stream, "history()") == "1\n2\nsetwd(tempdir())\nhistory()\n\n"
        quit_session(session, stream)
        assert lines(session) == ["1", "2", "setwd(tempdir())", "history()"]
        assert not store_of(session).parent.exists()


def test_it_is_not_written_when_the_user_does_not_want_that() -> None:
    with RunningSession() as session:
        stream = ready(session)
        folder = session.home / ".config" / "rstudio"
        folder.mkdir(parents=True)
        (folder / "rstudio-prefs.json").write_text('{"always_save_history": false}')
        evaluate(session, stream, "1")
        quit_session(session, stream)
        assert not (session.home / ".Rhistory").exists()
        stream = again(session)
        session.call("quit_session", "yes")
        stream.wait_for_type("quit")
        assert lines(session) == []


def test_lines_survive_suspension_and_crash() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "before <- 1")
        suspend(session, stream)
        stream = again(session)
        evaluate(session, stream, "between <- 2")
        history = store_of(session).parent / "history"
        while "between" not in history.read_text():
            evaluate(session, stream, "Sys.sleep(0.1)")
        os.kill(session.pid, signal.SIGKILL)
        shown = evaluate(session, again(session), "history()")
        assert shown.startswith("before <- 1\nbetween <- 2\n")
        assert not (session.home / ".Rhistory").exists()
