"""How a session ends or fails to start, and what its server can say about it."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from rserver_core.r_scan import find_installation
from tests.rsession.running import RunningSession, evaluate, ready

pytestmark = pytest.mark.r


def test_q_ends_with_its_status_after_all_output() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, ".Last <- function() cat('good bye\\n')")
        session.type("cat('last output\\n'); q('no', status = 7)")
        assert stream.wait_for_type("quit")["data"] == {"status": 7}
        assert stream.text().endswith("last output\ngood bye\n")
        stream.wait_for_close()
        assert session.process is not None
        assert session.process.wait(10) == 7


def test_quit_session_ends_a_busy_session() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("cat('begun\\n'); Sys.sleep(100)")
        stream.wait_for(lambda event: event["data"].get("text") == "begun\n")
        session.call("quit_session")
        assert stream.wait_for_type("quit")["data"] == {"status": 0}


def test_quit_session_can_save_the_workspace() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "kept <- 42")
        session.call("quit_session", "yes")
        stream.wait_for_type("quit")
        assert (session.home / ".RData").exists()
        session.launch()
        assert evaluate(session, ready(session), "kept") == "[1] 42\n"


def test_a_saved_workspace_is_left_alone_when_so_asked() -> None:
    with RunningSession(["--r-restore-workspace=0"]) as session:
        stream = ready(session)
        evaluate(session, stream, "kept <- 42; save.image()")
        session.call("quit_session")
        stream.wait_for_type("quit")
        session.launch()
        assert evaluate(session, ready(session), "exists('kept')") == "[1] FALSE\n"


def test_abort_ends_at_once() -> None:
    with RunningSession() as session:
        ready(session)
        session.call("abort")
        assert session.process is not None
        assert session.process.wait(10) == -signal.SIGKILL


def test_a_request_to_terminate_suspends() -> None:
    with RunningSession() as session:
        stream = ready(session)
        folder = Path(evaluate(session, stream, "x <- 42; cat(tempdir())"))
        assert folder.is_dir()
        session.type("Sys.sleep(60)")
        stream.wait_for(lambda event: event["type"] == "busy" and event["data"]["value"])
        os.kill(session.pid, signal.SIGTERM)
        assert stream.wait_for_type("quit")["data"] == {"status": 101}
        assert session.process is not None
        assert session.process.wait(10) == 101
        assert not folder.exists()
        session.launch()
        assert evaluate(session, ready(session), "x") == "[1] 42\n"


def test_a_request_to_terminate_ends_r_properly_where_nothing_can_be_kept() -> None:
    with RunningSession() as session:
        stream = ready(session)
        folder = Path(evaluate(session, stream, "cat(tempdir())"))
        store = next(session.home.glob(".local/share/rstudio/sessions/active/*/suspended-session-data"))
        shutil.rmtree(store)
        store.write_text("in the way")
        os.kill(session.pid, signal.SIGTERM)
        assert stream.wait_for_type("quit")["data"] == {"status": 143}
        assert session.process is not None
        assert session.process.wait(10) == 143
        assert not folder.exists()


def test_a_segfault_shows_r_s_own_menu_and_the_server_still_answers() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("tools::pskill(Sys.getpid(), 11)")
        stream.wait_for_prompt("Selection: ")
        text = stream.text("console_write_error")
        assert "*** caught segfault ***" in text
        assert "4: exit R saving workspace" in text
        assert session.http("GET", "/ping").read() == b"pong"
        session.type("3")
        stream.wait_for_close()
        assert "caught segfault" in session.stderr()


def test_a_failing_profile_is_reported_and_r_starts() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        (session.home / ".Rprofile").write_text("cat('hello from the profile\\n')\nstop('the profile is broken')\n")
        session.launch()
        session.client_id = ""
        stream = session.events()
        stream.wait_for_prompt()
        assert "hello from the profile" in stream.text()
        assert "the profile is broken" in stream.text("console_write_error")


def test_the_profile_may_ask_a_question() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        (session.home / ".Rprofile").write_text("answer <- readline('profile? ')\n")
        session.launch()
        session.client_id = ""
        stream = session.events()
        stream.wait_for_prompt("profile? ")
        evaluate(session, stream, "yes")
        assert evaluate(session, stream, "answer") == '[1] "yes"\n'


def test_a_profile_can_be_skipped() -> None:
    with RunningSession(["--r-run-rprofile=0"]) as session:
        (session.home / ".Rprofile").write_text("stop('must not run')\n")
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        session.launch()
        session.client_id = ""
        stream = session.events()
        stream.wait_for_prompt()
        assert "must not run" not in stream.text("console_write_error")


def test_a_profile_that_quits_leaves_its_words_on_stderr() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        session.stderr()
        (session.home / ".Rprofile").write_text("message('no licence today'); q(status = 9)\n")
        session.launch()
        assert "no licence today" in session.stderr()
        assert session.process is not None
        assert session.process.returncode == 9


def test_without_r_the_exit_code_is_3_and_one_line_says_where_it_looked(tmp_path: Path) -> None:
    with RunningSession(environment={"R_HOME": str(tmp_path)}) as session:
        assert str(tmp_path) in session.stderr()
        assert session.process is not None
        assert session.process.returncode == 3


def test_a_wrong_option_is_refused_with_2() -> None:
    with RunningSession(["--no-such-option=1"]) as session:
        assert "no-such-option" in session.stderr()
        assert session.process is not None
        assert session.process.returncode == 2


def test_an_orphan_of_r_holds_neither_connection_nor_stderr_open() -> None:
    with RunningSession() as session:
        stream = ready(session)
        orphan = int(evaluate(session, stream, "child <- parallel::mcparallel(Sys.sleep(100)); cat(child$pid)"))
        os.kill(session.pid, signal.SIGKILL)
        stream.wait_for_close(2)
        session.stderr()
        os.kill(orphan, signal.SIGTERM)


def test_environment_is_as_from_r_s_own_script() -> None:
    names = ("R_HOME", "R_SHARE_DIR", "R_INCLUDE_DIR", "R_DOC_DIR")
    code = f"cat(Sys.getenv(c{names!r}))"
    own = subprocess.run(["R", "--vanilla", "-s", "-e", code], capture_output=True, text=True, check=True).stdout
    with RunningSession() as session:
        assert evaluate(session, ready(session), code) == own


def test_a_connection_made_before_the_start_is_served() -> None:
    with RunningSession() as session:
        early = socket.socket(socket.AF_UNIX)
        with early:
            early.settimeout(20)
            early.connect(session.socket_path)
            early.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert early.recv(4096).endswith(b"pong")


def test_a_fatal_error_of_r_is_on_stderr(tmp_path: Path) -> None:
    """An R whose base package is broken."""
    real = Path(find_installation(path=os.environ["PATH"]).home)
    for name in ("lib", "etc", "modules"):
        (tmp_path / name).symlink_to(real / name)
    (tmp_path / "library" / "base").mkdir(parents=True)
    (tmp_path / "library" / "base" / "DESCRIPTION").write_text("Package: base\nVersion: 4.2.2\n")
    (tmp_path / "bin").mkdir()
    script = (real / "bin" / "R").read_text()
    (tmp_path / "bin" / "R").write_text(script.replace(f"R_HOME_DIR={real}\n", f"R_HOME_DIR={tmp_path}\n", 1))
    with RunningSession(environment={"R_HOME": str(tmp_path)}) as session:
        assert "base" in session.stderr()
        assert session.process is not None
        assert session.process.returncode == 2


def _holds_back(pid: int, number: int) -> bool:
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["SigBlk"], 16) >> (number - 1) & 1 == 1


def test_a_forced_suspension_that_comes_too_early_is_done_later() -> None:
    with RunningSession() as session:
        while not _holds_back(session.pid, signal.SIGUSR2):
            pass
        os.kill(session.pid, signal.SIGUSR2)
        assert session.process is not None
        assert session.process.wait(20) == 101
