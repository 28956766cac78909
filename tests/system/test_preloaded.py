"""With rsession-preload=1 sessions are forked, start as their users want, end as others do, and never wait for it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.accounts import Account, account
from tests.system.preloading import READY, preloading_server, r_pid, session_of, was_forked
from tests.system.running_server import RunningServer, descendants
from tests.system.visitor import Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

SECONDS = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One server for all tests that leave its template alive."""
    with preloading_server() as running:
        yield running


def _own(account: Account, **files: str) -> None:
    for name, text in files.items():
        path = account.home / f".{name}"
        path.write_text(text)
        os.chown(path, account.uid, account.gid)


def _until(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _template(server: RunningServer) -> int:
    (pid,) = [pid for pid in descendants(server.process.pid) if _comm(pid) == "rserver-preload"]
    return pid


def _comm(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _state(visitor: Visitor) -> dict[str, object]:
    answer: dict[str, object] = visitor.get(f"/api/sessions/{visitor.session_path.split('/')[2]}").json()
    return answer


def test_two_users_share_pages_and_nothing_else(server: RunningServer, alice: Account, bob: Account) -> None:
    seen = []
    for user in (alice, bob):
        visitor, _ = session_of(server, user)
        pid = r_pid(visitor)
        assert was_forked(pid)
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
        )
        assert status["Uid"].split() == [str(user.uid)] * 4
        assert status["Gid"].split() == [str(user.gid)] * 4
        assert status["Groups"].split() == [str(user.gid)]
        assert [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0, 0, 0, 0]
        assert os.stat(f"/proc/{pid}/environ").st_uid == user.uid
        seen.append(visitor.run("cat(tempdir(), rnorm(1), Sys.getpid(), tempfile())"))
    assert not set(seen[0].split()) & set(seen[1].split())


@pytest.mark.parametrize(
    ("file", "text", "expression", "expected"),
    [
        ("profile", "export OMP_NUM_THREADS=1", 'Sys.getenv("OMP_NUM_THREADS")', '"1"'),
        ("profile", "export LD_PRELOAD=libm.so.6", 'Sys.getenv("LD_PRELOAD")', '"libm.so.6"'),
        ("profile", "ulimit -s 4096", 'system("ulimit -s", intern = TRUE)', '"4096"'),
        ("profile", "renice -n 5 $$", 'system("nice", intern = TRUE)', '"5"'),
        ("profile", "trap '' QUIT", 'system("grep SigIgn /proc/self/status | grep -c 4$", intern = TRUE)', '"1"'),
        ("profile", "export LANG=nowhere", 'Sys.getenv("LANG")', '"nowhere"'),
        ("profile", "export LC_ALL=C", "l10n_info()[['UTF-8']]", "FALSE"),
        ("profile", "export LANGUAGE=de", 'Sys.getenv("LANGUAGE")', '"de"'),
        ("Renviron", "R_DEFAULT_PACKAGES=stats", "search()[2]", '"package:stats"'),
        ("Renviron", "R_MAX_VSIZE=3Gb", "mem.maxVSize()", "3072"),
    ],
)
def test_who_needs_another_start_gets_it(
    server: RunningServer, alice: Account, file: str, text: str, expression: str, expected: str
) -> None:
    _own(alice, **{file: f"{text}\n"})
    visitor, _ = session_of(server, alice)
    assert not was_forked(r_pid(visitor))
    assert expected in visitor.run(expression)
    assert _comm(r_pid(visitor)) != "rserver-preload"


def test_login_scripts_that_leave_a_program_behind(server: RunningServer, alice: Account) -> None:
    _own(alice, profile="sleep 1000 &\nexport AGENT=$!\nulimit -S -u 3000\n")
    visitor, _ = session_of(server, alice)
    assert "TRUE" in visitor.run('file.exists(file.path("/proc", Sys.getenv("AGENT")))')
    assert "3000" in visitor.run("""system("bash -c 'ulimit -u'")""")


def test_ends_are_seen_as_of_any_session(server: RunningServer, alice: Account) -> None:
    visitor, _ = session_of(server, alice)
    visitor.rpc("console_input", 'system("echo last words >&2"); quit("no", 7)', "")
    _until(lambda: _state(visitor)["state"] in ("failed", "absent"))
    assert _state(visitor)["code"] == 7


def test_a_killed_session_is_seen(server: RunningServer, alice: Account) -> None:
    visitor, _ = session_of(server, alice)
    pid = r_pid(visitor)
    os.kill(pid, signal.SIGSEGV)
    os.kill(pid, signal.SIGKILL)
    _until(lambda: _state(visitor)["state"] == "failed")
    assert _state(visitor)["signal"] == signal.SIGKILL


def test_the_temporary_folder_says_whose_it_is(server: RunningServer, alice: Account) -> None:
    """So that the next session can remove it when this one is killed."""
    visitor, _ = session_of(server, alice)
    pid = r_pid(visitor)
    assert was_forked(pid)
    assert f"{pid} " in visitor.run('cat(readLines(file.path(tempdir(), ".rsession"), warn = FALSE))')


def test_errors_of_the_profile_stop_nothing(server: RunningServer, alice: Account) -> None:
    _own(alice, Rprofile='options(digits = 4)\nstop("no further")\noptions(digits = 5)\n')
    visitor, written = session_of(server, alice)
    assert "no further" in written
    assert "[1] 4" in visitor.run('getOption("digits")')
    assert was_forked(r_pid(visitor))


def test_a_profile_that_quits_ends_the_session(server: RunningServer, alice: Account) -> None:
    _own(alice, Rprofile='message("good bye"); quit("no", 3)\n')
    visitor = Visitor(server.port)
    visitor.sign_in(alice.name, alice.password)
    visitor.session_path = visitor.get("/").location
    visitor.get(visitor.session_path)
    with contextlib.suppress(AssertionError, ValueError):
        visitor.init()
    _until(lambda: _state(visitor)["state"] == "failed")
    assert _state(visitor)["code"] == 3
    assert "good bye" in str(_state(visitor)["stderr_tail"])


@pytest.mark.parametrize("keep", [True, False])
def test_restarting_r_forks_again(server: RunningServer, alice: Account, keep: bool) -> None:
    _own(alice, Rprofile="options(digits = 4)\n")
    visitor, _ = session_of(server, alice)
    visitor.run("x <- 42; library(splines); options(scipen = 7); plot(1:3)")
    before = r_pid(visitor)
    assert visitor.rpc("restart_session", keep, "cat('run afterwards', getOption('digits'), '\\n')")["restarting"]
    _until(lambda: _state(visitor)["state"] == "running" and _state(visitor)["pid"] != before)
    visitor.init()
    visitor.seen = 0
    visitor.wait_for(lambda event: event["data"].get("text") == "run afterwards 4 \n")
    visitor.init()
    after = r_pid(visitor)
    assert after != before
    assert was_forked(after)
    assert f"[1] {str(keep).upper()}" in visitor.run("exists('x') && x == 42")
    assert f"[1] {str(keep).upper()}" in visitor.run("'package:splines' %in% search() && getOption('scipen') == 7")
    if keep:
        assert "Error" not in visitor.run("lines(3:1)")


def test_a_suspended_session_comes_back_in_a_fork(server: RunningServer, alice: Account) -> None:
    visitor, _ = session_of(server, alice)
    visitor.run("x <- 42; invisible(Sys.umask('077'))")
    assert visitor.rpc("suspend_session")["suspended"]
    _until(lambda: _state(visitor)["state"] == "suspended")
    visitor.get(visitor.session_path)
    start = visitor.init()
    visitor.seen = 0
    visitor.wait_for(lambda event: event["type"] == "workspace_restored")
    visitor.init()
    assert '[1] "77"' in visitor.run("Sys.umask()")
    assert "[1] 42" in visitor.run("x")
    assert was_forked(r_pid(visitor))
    assert any("resumed at" in action["text"] for action in start["console"]["actions"])


def test_packages_plots_and_forks_work(server: RunningServer, alice: Account) -> None:
    visitor, _ = session_of(server, alice)
    assert "[1] 4" in visitor.run("sum(unlist(parallel::mclapply(1:4, function(i) 1, mc.cores = 2)))")
    assert "TRUE" in visitor.run("is.list(lm(dist ~ speed, cars)$model)")
    assert "TRUE" in visitor.run("f <- tempfile(); png(f); plot(1); invisible(dev.off()); file.size(f) > 100")
    visitor.run(
        "setClass('P', representation(x = 'numeric')); setMethod('show', 'P', function(object) cat('shown\\n'))"
    )
    assert "shown" in visitor.run("new('P', x = 1)")
    visitor.rpc("console_input", "while (TRUE) {}", "")
    visitor.wait_for(lambda event: event["type"] == "busy" and event["data"]["value"])
    visitor.rpc("interrupt")
    visitor.wait_for_prompt()


def test_a_lost_template_delays_nobody_and_comes_back() -> None:
    with preloading_server() as server, account() as first, account() as second, account() as third:
        visitor, _ = session_of(server, first)
        seen = len(server.lines)
        os.kill(_template(server), signal.SIGKILL)
        other, _ = session_of(server, second)
        assert "[1] 2" in visitor.run("1 + 1")
        assert "[1] 2" in other.run("1 + 1")
        _until(lambda: any(READY.search(line) for line in server.lines[seen:]))
        late, _ = session_of(server, third)
        assert was_forked(r_pid(late))
        visitor.rpc("quit_session")
        _until(lambda: _state(visitor)["state"] == "absent")


def test_a_stopped_template_delays_one_session_a_moment_and_is_replaced() -> None:
    with preloading_server() as server, account() as first, account() as second:
        seen = len(server.lines)
        os.kill(_template(server), signal.SIGSTOP)
        visitor, _ = session_of(server, first)
        assert not was_forked(r_pid(visitor))
        _until(lambda: any(READY.search(line) for line in server.lines[seen:]))
        late, _ = session_of(server, second)
        assert was_forked(r_pid(late))


def test_without_root(alice: Account) -> None:
    with preloading_server(account=alice) as server:
        visitor = Visitor(server.port)
        visitor.open_session()
        visitor.seen = 0
        visitor.wait_for_prompt()
        assert was_forked(r_pid(visitor))
        assert alice.name in visitor.run('Sys.info()[["user"]]')


def test_without_pam_sessions(alice: Account) -> None:
    with preloading_server(pam_sessions=False) as server:
        visitor, _ = session_of(server, alice)
        assert was_forked(r_pid(visitor))
        assert alice.name in visitor.run('Sys.info()[["user"]]')


def test_a_server_that_ends_ends_its_template(alice: Account) -> None:
    with preloading_server() as server:
        template = _template(server)
        server.stop()
        _until(lambda: _comm(template) != "rserver-preload")
