"""Sessions inside PAM: limits, environment, home directory, credentials, ends. Real modules, services of our own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rserver_process.accounts import Account as SessionAccount
from rserver_process.event_loop import Loop
from rserver_process.keepers import LaunchRefused
from rserver_process.pam_session import PamSession
from tests.rserver_process.pam_services import installed_service
from tests.rserver_process.sessions import is_gone, kill, spec, world
from tests.rserver_process.turning import turn_until
from tests.system.accounts import Account, processes_of

pytestmark = pytest.mark.root

HEAD = "auth requisite pam_rootok.so\naccount required pam_permit.so\n"
SHIPPED = Path(__file__).resolve().parents[2] / "etc" / "pam.d" / "rstudio-session"
REPORT = """
import os, resource
print(sorted(os.environ.items()))
mode = oct(os.stat(".").st_mode & 0o777)
print(resource.getrlimit(resource.RLIMIT_NOFILE), sorted(os.getgroups()), os.getcwd(), mode)
"""


def opener(service: str) -> Callable[[SessionAccount], PamSession]:
    """How the launcher opens sessions."""
    return lambda account: PamSession(service, account)


def test_limits_and_environment_reach_the_session(loop: Loop, user: Account, tmp_path: Path) -> None:
    """Both are PAM's to set, before the process becomes the user."""
    (tmp_path / "limits").write_text(f"{user.name} - nofile 512\n")
    (tmp_path / "env").write_text("GREETING=good morning\n")
    (tmp_path / "conf").write_text("SITE DEFAULT=@{HOME}/x\n")
    stack = (
        f"session required pam_limits.so conf={tmp_path}/limits\n"
        f"session required pam_env.so conffile={tmp_path}/conf readenv=1 envfile={tmp_path}/env\n"
    )
    with installed_service(HEAD + stack) as service, world(loop, REPORT, open_session=opener(service)) as made:
        end = made.end_of(made.launch(user.name, 1, GREETING="from the spec"))
    lines = end.stderr_tail.splitlines()
    environment = dict(eval(lines[0]))
    assert environment["SITE"] == f"{user.home}/x"
    assert environment["GREETING"] == "from the spec"
    assert lines[1].startswith(f"(512, 512) [{user.uid}] {user.home}")


def test_groups_that_pam_adds_are_kept(loop: Loop, user: Account, tmp_path: Path) -> None:
    """pam_group adds them in setcred, after the account's own were set."""
    (tmp_path / "group.conf").write_text(f"*;*;{user.name};Al0000-2400;staff\n")
    stack = "auth requisite pam_rootok.so\naccount required pam_permit.so\nauth optional pam_group.so\n"
    original = Path("/etc/security/group.conf").read_text()
    with installed_service(stack + "session required pam_permit.so\n") as service:
        bind = [
            "unshare",
            "-m",
            "sh",
            "-c",
            f'mount --bind {tmp_path}/group.conf /etc/security/group.conf && exec "$@"',
            "sh",
        ]
        script = f"""
import sys, os
sys.path.insert(0, {str(SHIPPED.parents[2])!r})
from rserver_process.pam_session import PamSession
from rserver_process.accounts import look_up
session = PamSession({service!r}, look_up({user.name!r}))
print(os.getgroups())
session.close()
"""
        done = subprocess.run(
            [*bind, "/usr/bin/python3", "-I", "-c", script], capture_output=True, text=True, check=False
        )
    if done.returncode == 1 and "unshare" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert Path("/etc/security/group.conf").read_text() == original
    assert sorted(eval(done.stdout)) == sorted([50, user.uid]), done.stderr


def test_home_is_made_at_the_first_login(loop: Loop) -> None:
    """From /etc/skel, for its owner alone."""
    subprocess.run(["useradd", "--no-create-home", "rscfirst"], check=True, capture_output=True)
    try:
        with (
            installed_service(SHIPPED.read_text()) as service,
            world(loop, REPORT, open_session=opener(service)) as made,
        ):
            end = made.end_of(made.launch("rscfirst"))
    finally:
        subprocess.run(["userdel", "--force", "--remove", "rscfirst"], check=False, capture_output=True)
    assert end.code == 0
    assert end.stderr_tail.splitlines()[1].endswith("/home/rscfirst 0o700")


def test_shipped_service_opens_and_closes(loop: Loop, user: Account) -> None:
    """etc/pam.d/rstudio-session as it is installed."""
    with installed_service(SHIPPED.read_text()) as service, world(loop, open_session=opener(service)) as made:
        record = made.launch(user.name)
        made.keepers.signal(record.session, "TERM")
        assert made.end_of(record).signal == 15
        turn_until(loop, lambda: is_gone(record.keeper_pid))


def test_modules_that_talk_do_no_harm(loop: Loop, user: Account, tmp_path: Path) -> None:
    """At the open and at the close, long after the conversation was made."""
    (tmp_path / "text").write_text("good morning")
    echo = f"session optional pam_echo.so file={tmp_path}/text\n" * 3
    with (
        installed_service(f"{HEAD}{echo}session required pam_permit.so\n") as service,
        world(loop, "pass", open_session=opener(service)) as made,
    ):
        record = made.launch(user.name)
        assert made.end_of(record).code == 0
        turn_until(loop, lambda: is_gone(record.keeper_pid))


@pytest.mark.parametrize(
    ("stack", "reason"),
    [
        ("auth required pam_deny.so\n", "authenticate"),
        ("auth required pam_rootok.so\naccount required pam_deny.so\n", "acct_mgmt"),
        (f"{HEAD}session required pam_deny.so\n", "open_session"),
        (f"{HEAD}session required pam_is_not_there.so\n", "open_session"),
        ("auth required pam_unix.so\naccount required pam_unix.so\n", "authenticate"),
    ],
)
def test_refusal_of_pam_is_a_refusal_with_its_reason(loop: Loop, user: Account, stack: str, reason: str) -> None:
    """A service that asks for a password is none for sessions; nothing is left behind."""
    with installed_service(stack) as service, world(loop, open_session=opener(service)) as made:
        result = made.try_launch(user.name)
        assert isinstance(result, LaunchRefused)
        assert result.code == "pam"
        assert reason in result.message
        assert service in result.message
        assert made.files() == set()


def test_what_a_module_said_is_in_the_reason(loop: Loop, user: Account, tmp_path: Path) -> None:
    """It is often the only explanation."""
    (tmp_path / "text").write_text("closed for maintenance")
    stack = f"session optional pam_echo.so file={tmp_path}/text\nsession required pam_deny.so\n"
    with installed_service(HEAD + stack) as service, world(loop, open_session=opener(service)) as made:
        result = made.try_launch(user.name)
    assert isinstance(result, LaunchRefused)
    assert "closed for maintenance" in result.message


def test_password_that_is_due_does_not_end_sessions(loop: Loop, user: Account) -> None:
    """It is the next sign-in's business."""
    with (
        installed_service(
            "auth required pam_rootok.so\naccount required pam_debug.so acct=new_authtok_reqd\n"
            "session required pam_permit.so\n"
        ) as service,
        world(loop, open_session=opener(service)) as made,
    ):
        made.launch(user.name)


def test_module_that_sleeps_delays_nobody_else(loop: Loop, user: Account, stranger: Account, tmp_path: Path) -> None:
    """And is ended at the limit, helpers of the module included."""
    script = tmp_path / "sleep.sh"
    script.write_text(f'#!/bin/sh\n[ "$PAM_USER" = {user.name} ] && sleep 1000\nexit 0\n')
    script.chmod(0o755)
    with (
        installed_service(f"{HEAD}session required pam_exec.so {script}\n") as service,
        world(loop, open_session=opener(service), launch_limit=1.5) as made,
    ):
        slow: list[object] = []
        from tests.rserver_process.sessions import spec

        made.keepers.launch(spec(user.name, 1), slow.append)
        made.launch(stranger.name, 2)
        assert slow == []
        turn_until(loop, lambda: slow)
        assert isinstance(slow[0], LaunchRefused)
        assert slow[0].code == "timeout"
        turn_until(loop, lambda: not sleepers(script))
        assert processes_of(user.uid) == []


def sleepers(script: Path) -> list[int]:
    """Living processes of the module's script."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if str(script).encode() in Path(f"/proc/{pid}/cmdline").read_bytes() and not is_gone(int(pid)):
                found.append(int(pid))
        except OSError:
            continue
    return found


def test_session_is_closed_after_the_end_and_by_the_keeper(loop: Loop, user: Account, tmp_path: Path) -> None:
    """Open and close each once, in the same process, as root."""
    log = tmp_path / "log"
    log.touch()
    script = tmp_path / "note.sh"
    script.write_text(f'#!/bin/sh\necho "$PAM_TYPE $PAM_USER $PAM_TTY $(id -u) $(ps -o ppid= -p $$)" >> {log}\n')
    script.chmod(0o755)
    with (
        installed_service(f"{HEAD}session required pam_exec.so {script}\n") as service,
        world(loop, open_session=opener(service)) as made,
    ):
        record = made.launch(user.name)
        made.keepers.signal(record.session, "KILL")
        made.end_of(record)
        turn_until(loop, lambda: is_gone(record.keeper_pid))
    lines = [line.split() for line in log.read_text().splitlines()]
    expected = [user.name, "rserver", "0", str(record.keeper_pid)]
    assert lines == [["open_session", *expected], ["close_session", *expected]]


def test_launcher_that_dies_during_pam_leaves_nothing(loop: Loop, user: Account, tmp_path: Path) -> None:
    """A keeper whose launcher is gone when PAM is done starts no session that nobody would know of."""
    fifo, log = tmp_path / "fifo", tmp_path / "log"
    os.mkfifo(fifo)
    script = tmp_path / "wait.sh"
    script.write_text(
        f'#!/bin/sh\n[ "$PAM_TYPE" = open_session ] && cat {fifo} > /dev/null\necho "$PAM_TYPE" >> {log}\n'
    )
    script.chmod(0o755)
    with (
        installed_service(f"{HEAD}session required pam_exec.so {script}\n") as service,
        world(loop, open_session=opener(service)) as made,
    ):
        launcher = os.fork()
        if launcher == 0:
            made.keepers.launch(spec(user.name), lambda result: None)
            os.kill(os.getpid(), 19)
            os._exit(0)
        os.waitpid(launcher, os.WUNTRACED)
        kill(launcher)
        os.waitpid(launcher, 0)
        fifo.write_text("go on")
        turn_until(loop, lambda: log.exists() and "close_session" in log.read_text())
        assert log.read_text().split() == ["open_session", "close_session"]
        assert made.files() == set()
        assert processes_of(user.uid) == []
