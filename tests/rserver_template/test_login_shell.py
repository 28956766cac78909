"""What login scripts did to their process, from what the kernel says of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rserver_template.login_shell import process_state

FILES = [f"/proc/self/{name}" for name in ("stat", "status", "cgroup", "limits")]
RUN = Path(__file__).resolve().parents[2] / "rsession_run.sh"

# A process of its own: umask, limits and working directory are taken over by who asks.
ADOPT = """
import os, resource, sys
from rserver_template.login_shell import LoginShell, OtherProcess
home = sys.argv[1]
shell = LoginShell(sys.argv[2], {"PATH": "/usr/bin:/bin", "HOME": home, "RSTUDIO_CONFIG_DIR": home})
try:
    environ = shell.adopt()
except OtherProcess as reason:
    print("other:", reason)
else:
    print(environ.get("SET"), os.getcwd(), oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE), sep="|")
"""


def _state(*prefix: str) -> dict[str, object]:
    text = subprocess.run([*prefix, "cat", *FILES], check=True, capture_output=True, text=True).stdout
    state = process_state(text)
    return {"umask": state.umask, "limits": state.limits, "kept": state.kept}


def _adopt(home: Path, script: str) -> str:
    (home / ".bash_profile").write_text(script)
    argv = [sys.executable, "-c", ADOPT, str(home), str(RUN)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=RUN.parent, env={"PYTHONPATH": "."})
    return done.stdout.strip().splitlines()[-1]


def test_the_same_for_equal_processes() -> None:
    assert _state() == _state()


def test_priority_and_limits_are_seen() -> None:
    plain, nicer, limited = _state(), _state("nice", "-n", "3"), _state("prlimit", "--core=5")
    assert nicer["kept"] != plain["kept"]
    assert limited["kept"] == plain["kept"]
    assert limited["limits"] != plain["limits"]


def test_environment_directory_umask_and_limits_are_taken_over(tmp_path: Path) -> None:
    script = "echo chatter; export SET='two\nlines'; cd /usr; umask 071; ulimit -c 0\n"
    (tmp_path / ".bash_profile").write_text(script)
    argv = [sys.executable, "-c", ADOPT, str(tmp_path), str(RUN)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=RUN.parent, env={"PYTHONPATH": "."})
    assert done.stdout == "chatter\ntwo\nlines|/usr|0o71|(0, 0)\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "did not come to its end"),
        ("exec true", "did not come to its end"),
        ("renice -n 2 $$ >/dev/null", "priority"),
        ("trap '' URG", "SigIgn"),
        pytest.param(
            "taskset -p 1 $$ >/dev/null",
            "Cpus_allowed",
            marks=pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors"),
        ),
    ],
)
def test_what_cannot_be_taken_over_is_named(tmp_path: Path, script: str, reason: str) -> None:
    assert reason in _adopt(tmp_path, f"{script}\n")
