"""What an administrator decides about suspending, as rsession's options say it."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, resume, suspend

pytestmark = pytest.mark.r


def started(session: RunningSession, stream: EventStream) -> int:
    """A program in the background; its process id."""
    find = "suppressWarnings(system('pgrep -s 0 -x sleep', intern = TRUE))"
    wait = f"while (!length(p <- {find})) NULL; cat(p)"
    return int(evaluate(session, stream, f"system('sleep 300', wait = FALSE); {wait}"))


def ends(pid: int) -> bool:
    """Within ten seconds; who takes in orphans may be slow to bury it."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                continue
        return True
    return False


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("session-connections-block-suspend=0", "con <- file('x', 'w')"),
        ("session-external-pointers-block-suspend=0", "pointer <- unclass(getLoadedDLLs()[['stats']])$handle"),
    ],
)
def test_what_need_not_stand_against_it(option: str, code: str) -> None:
    with RunningSession([f"--{option}"]) as session:
        stream = ready(session)
        evaluate(session, stream, f"x <- 4711; {code}")
        stream = resume(session, stream)
        assert evaluate(session, stream, "x") == "[1] 4711\n"


def test_connections_are_named_in_words() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "text <- textConnection('a'); con <- file('notes.txt', 'w'); p <- pipe('ls', 'r')")
        (blocker,) = session.call("suspend_session")["blockers"]
        words = "Connections are open: text connection 'a', notes.txt, output of the command ls."
        assert blocker["reason"].replace('"', "'") == words


def test_an_incomplete_statement() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 4711")
        evaluate(session, stream, "y <- (", prompt="+ ")
        (blocker,) = session.call("suspend_session")["blockers"]
        assert blocker == {"kind": "prompt", "reason": "A statement at the console is not complete."}
    with RunningSession(["--session-suspend-on-incomplete-statement=1"]) as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 4711")
        evaluate(session, stream, "y <- (", prompt="+ ")
        stream = resume(session, stream)
        assert evaluate(session, stream, "x") == "[1] 4711\n"


def test_a_program_that_left_r_s_process_session() -> None:
    with RunningSession() as session:
        stream = ready(session)
        begin = "p <- system('setsid nohup sleep 300 >/dev/null 2>&1 & echo $!', intern = TRUE)"
        wait = "while (readLines(file.path('/proc', p, 'comm')) != 'sleep') NULL; cat(p)"
        pid = int(evaluate(session, stream, f"{begin}; {wait}"))
        try:
            (blocker,) = session.call("suspend_session")["blockers"]
            assert blocker == {"kind": "children", "reason": f"Processes started by R still run: sleep ({pid})."}
            assert session.call("get_status")["blockers"] == [blocker]
        finally:
            os.kill(pid, 9)


def test_processes_in_the_background() -> None:
    with RunningSession() as session:
        stream = ready(session)
        pid = started(session, stream)
        (blocker,) = session.call("suspend_session")["blockers"]
        assert blocker == {"kind": "children", "reason": f"Processes started by R still run: sleep ({pid})."}
        os.kill(pid, 9)
    with RunningSession(["--session-quit-child-processes-on-exit=1"]) as session:
        stream = ready(session)
        pid = started(session, stream)
        assert session.call("suspend_session")["suspended"]
        stream.wait_for_close()
        assert session.process is not None
        assert session.process.wait(30) == 101
        assert ends(pid)


PROFILE = """
cat("run\\n", file = "~/runs", append = TRUE)
options(digits = 5, own.option = function(x) x + 1)
Sys.setenv(FROM_PROFILE = "yes", FROM_ENVIRON = "profile")
library(splines)
helper <- function() "of the profile"
"""


def with_profile(*arguments: str) -> RunningSession:
    session = RunningSession(arguments)
    session.home.mkdir()
    (session.home / ".Rprofile").write_text(PROFILE)
    (session.home / ".Renviron").write_text("FROM_ENVIRON=environ\n")
    return session


STATE = 'cat(pi, getOption("own.option")(1), Sys.getenv("FROM_PROFILE"), "package:splines" %in% search(), helper())'


@pytest.mark.parametrize(("arguments", "runs"), [((), 1), (("--session-rprofile-on-resume-default=1",), 2)])
def test_whether_the_profile_runs_again_what_it_had_set_is_there(arguments: tuple[str, ...], runs: int) -> None:
    with with_profile(*arguments) as session:
        stream = ready(session)
        assert evaluate(session, stream, STATE) == "3.1416 2 yes TRUE of the profile"
        stream = resume(session, stream)
        assert evaluate(session, stream, STATE) == "3.1416 2 yes TRUE of the profile"
        assert (session.home / "runs").read_text() == "run\n" * runs
        stream = resume(session, stream)
        assert evaluate(session, stream, STATE) == "3.1416 2 yes TRUE of the profile"


def test_after_a_crash_the_profile_runs() -> None:
    with with_profile() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 1")
        session.call("checkpoint_session")
        assert session.process is not None
        session.process.kill()
        stream = restored(session)
        assert evaluate(session, stream, STATE) == "3.1416 2 yes TRUE of the profile"
        assert (session.home / "runs").read_text() == "run\n" * 2


def test_what_the_user_changed_after_the_profile_counts_and_renviron_is_read_anew() -> None:
    with with_profile() as session:
        stream = ready(session)
        evaluate(session, stream, "options(digits = 3, own.option = NULL); Sys.unsetenv('FROM_PROFILE')")
        (session.home / ".Renviron").write_text("FROM_ENVIRON=changed\n")
        stream = resume(session, stream)
        shown = "cat(pi, is.null(getOption('own.option')), Sys.getenv('FROM_PROFILE', NA), Sys.getenv('FROM_ENVIRON'))"
        assert evaluate(session, stream, shown) == "3.14 TRUE NA changed"


def test_variables_that_are_not_kept() -> None:
    with RunningSession(["--session-ephemeral-env-vars=SECRET:OTHER"]) as session:
        stream = ready(session)
        evaluate(session, stream, "Sys.setenv(SECRET = 'x', OTHER = 'y', KEPT = 'z')")
        stream = resume(session, stream)
        shown = "cat(Sys.getenv('SECRET', NA), Sys.getenv('OTHER', NA), Sys.getenv('KEPT', NA))"
        assert evaluate(session, stream, shown) == "NA NA z"


POINTER = "unclass(getLoadedDLLs()[['stats']])$handle"


def test_objects_that_stand_against_it_are_named_until_they_are_gone() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, f"inside <- list(a = list({POINTER})); other <- 1")
        (blocker,) = session.call("suspend_session")["blockers"]
        assert blocker["reason"].endswith("would not come back whole: inside.")
        assert session.call("get_status")["blockers"] == [blocker]
        evaluate(session, stream, "inside$a <- NULL")
        assert session.call("get_status")["blockers"] == []
        assert session.call("suspend_session")["suspended"]


def test_pointers_that_were_lost_once_stand_against_nothing() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, f"pointer <- {POINTER}; x <- 4711")
        suspend(session, stream, force=True)
        for touch in ("x", "pointer"):
            stream = restored(session)
            evaluate(session, stream, touch)
            suspend(session, stream)
