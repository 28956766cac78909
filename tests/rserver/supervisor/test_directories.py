import os
import subprocess
from pathlib import Path

import pytest

from rserver.supervisor.directories import Owner, lock_pid_file, make_directory
from rserver.supervisor.exit_codes import ExitCode, StartRefused

OURSELVES = Owner(os.geteuid(), os.getegid())


def test_mode_is_exact_whatever_the_umask_and_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "run"
    make_directory(path, 0o711, OURSELVES)
    assert path.stat().st_mode & 0o7777 == 0o711
    path.chmod(0o777)
    make_directory(path, 0o711, OURSELVES)
    assert path.stat().st_mode & 0o7777 == 0o711


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)
    with pytest.raises(StartRefused, match="cannot be used"):
        make_directory(tmp_path / "run", 0o700, OURSELVES)


def test_a_second_server_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    path = tmp_path / "rserver.pid"
    fd = lock_pid_file(path)
    with pytest.raises(StartRefused, match=rf"pid {os.getpid()}") as refusal:
        lock_pid_file(path)
    assert refusal.value.code == ExitCode.ALREADY_RUNNING
    os.close(fd)
    os.close(lock_pid_file(path))


def test_what_a_killed_server_had_just_forked_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "rserver.pid"
    fd = lock_pid_file(path)
    with subprocess.Popen(["sleep", "0.3"], pass_fds=[fd]) as fork:
        os.close(fd)
        with pytest.raises(StartRefused):
            lock_pid_file(path)
        with subprocess.Popen(["true"]) as gone:
            pass
        path.write_text(f"{gone.pid}\n")
        os.close(lock_pid_file(path))
        assert fork.wait(10) == 0
