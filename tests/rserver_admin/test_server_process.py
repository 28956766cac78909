import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rserver_admin.listening import addresses
from rserver_admin.server_process import holder_of
from tests.rserver_admin.processes import sleeper
from tests.system.running_server import ROOT

NOBODY = 65534


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """One that everybody can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    path = tmp_path / "rserver.pid"
    path.write_text("")
    return path


def test_the_holder_of_the_pid_file_is_found(pid_file: Path) -> None:
    before = time.time()
    with sleeper(f"held = open({str(pid_file)!r})") as process:
        pid_file.write_text(f"{process.pid}\n")
        found = holder_of(pid_file)
        assert found
        assert (found.pid, found.leader) == (process.pid, process.pid)
        assert before - 1 < found.since < time.time() + 1
        assert found.stop(10)
        assert holder_of(pid_file) is None
        assert found.stop(10)


def test_a_process_that_does_not_hold_the_file_is_not_meant(pid_file: Path) -> None:
    with sleeper() as process:
        pid_file.write_text(f"{process.pid}\n")
        assert holder_of(pid_file) is None


@pytest.mark.parametrize("content", ["", "\n", "many\n", "-1\n", "999999999\n"])
def test_a_pid_file_that_names_nobody(pid_file: Path, content: str) -> None:
    pid_file.write_text(content)
    assert holder_of(pid_file) is None
    assert holder_of(pid_file.with_name("other")) is None


def test_one_that_does_not_stop_is_told_of_after_the_limit(pid_file: Path) -> None:
    with sleeper(
        f"held = open({str(pid_file)!r}); signal.signal(signal.SIGTERM, lambda *_: signal.pause())"
    ) as process:
        pid_file.write_text(f"{process.pid}\n")
        found = holder_of(pid_file)
        assert found
        assert not found.stop(0.2)


def test_the_guard_is_told_and_both_ends_are_waited_for(pid_file: Path) -> None:
    fork = (
        f"import os; held = open({str(pid_file)!r}); child = os.fork()\n"
        "if child:\n"
        f"    open({str(pid_file)!r}, 'w').write(str(child))\n"
        "    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, 15), os.waitpid(child, 0), os._exit(7)))\n"
        "else:\n    signal.pause()\n"
    )
    with sleeper(fork) as guard:
        found = holder_of(pid_file)
        assert found
        assert found.leader == guard.pid != found.pid
        assert found.stop(10)
        assert guard.wait(10) == 7


def test_listening_addresses_are_those_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as four, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = addresses(os.getpid())
        assert f"127.0.0.1:{four.getsockname()[1]}" in found
        assert f"127.0.0.1:{unused.getsockname()[1]}" not in found


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_an_ipv6_address() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as six:
        assert f"[::1]:{six.getsockname()[1]}" in addresses(os.getpid())


@pytest.mark.root
def test_the_holder_is_found_by_its_owner_in_another_group(open_directory: Path) -> None:
    """As after newgrp."""
    path = open_directory / "rserver.pid"
    path.touch()
    lock = f"import fcntl, os; held = open({str(path)!r}); fcntl.flock(held, fcntl.LOCK_EX)"
    drop = f"os.setresgid({NOBODY}, {NOBODY}, {NOBODY}); os.setresuid({NOBODY}, {NOBODY}, {NOBODY})"
    with sleeper(f"{lock}; {drop}") as process:
        path.write_text(f"{process.pid}\n")
        assert _found_by_nobody(path) == f"{process.pid}\n"
    assert _found_by_nobody(path) == "\n"


def _found_by_nobody(path: Path) -> str:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
        "from rserver_admin.server_process import holder_of; "
        f"found = holder_of(Path({str(path)!r})); print(found.pid if found else '')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        user=NOBODY,
        group=NOBODY - 1,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
