"""rsession_run.sh: the administrator's profile, the user's login shell, then the program, in one process."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "rsession_run.sh"
SHOW = ("/bin/sh", "-c", 'echo "pid $$"; env; for a; do echo "arg=$a"; done', "x")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with an empty profile, and an empty configuration directory beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "conf").mkdir()
    return tmp_path / "home"


def run(home: Path, *program: str, path: str = "/usr/bin:/bin", **env: str) -> subprocess.CompletedProcess[str]:
    """The script as the keeper runs it."""
    base = {"HOME": str(home), "PATH": path, "USER": "ann", "RSTUDIO_CONFIG_DIR": str(home.parent / "conf")}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *(program or SHOW)],
        env={**base, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


def variables(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What the program saw."""
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_variables_of_r_survive_the_login_shell(home: Path) -> None:
    """/etc/profile sets PATH anew; what R needs goes through."""
    done = run(home, R_HOME="/usr/lib/R", LD_LIBRARY_PATH="/usr/lib/R/lib", R_LIBS_SITE="a b")
    seen = variables(done)
    assert done.returncode == 0
    assert (seen["R_HOME"], seen["LD_LIBRARY_PATH"], seen["R_LIBS_SITE"]) == ("/usr/lib/R", "/usr/lib/R/lib", "a b")
    assert "/usr/local/bin" in seen["PATH"].split(":")


def test_arguments_arrive_as_they_are(home: Path) -> None:
    """Spaces, quotes, stars, empty ones, new lines."""
    arguments = ["a b", "*", "", "'\"$HOME`id`", "x\ty"]
    done = run(home, *SHOW, *arguments)
    assert [line.removeprefix("arg=") for line in done.stdout.splitlines() if line.startswith("arg=")] == arguments


def test_process_and_descriptor_stay_the_same(home: Path) -> None:
    """exec all the way: the pid that the keeper knows, descriptor 3 open."""
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        ["/bin/sh", str(SCRIPT), "/bin/sh", "-c", "echo $$; echo three >&3"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        preexec_fn=lambda: os.dup2(write_end, 3),
        close_fds=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.close(write_end)
    out, _ = process.communicate(timeout=30)
    assert int(out) == process.pid
    assert os.read(read_end, 100) == b"three\n"
    os.close(read_end)


def test_profile_of_the_administrator_comes_first(home: Path) -> None:
    """The user's may see and change what it set; a missing one is no error."""
    (home.parent / "conf" / "rsession-profile").write_text("export SITE=admin\nexport BOTH=admin\n")
    (home / ".bash_profile").write_text('export SEEN="$SITE" BOTH=user\n')
    seen = variables(run(home))
    assert (seen["SITE"], seen["SEEN"], seen["BOTH"]) == ("admin", "admin", "user")


def test_profile_that_prints_or_fails_on_the_way(home: Path) -> None:
    """Its words go to the session's output; a failing command is not the end."""
    (home / ".bash_profile").write_text("echo good morning\nfalse\nno-such-command\nexport LATE=1\n")
    done = run(home)
    assert done.returncode == 0
    assert "good morning" in done.stdout
    assert "no-such-command" in done.stderr
    assert variables(done)["LATE"] == "1"


def test_profile_that_exits_is_a_failed_start(home: Path) -> None:
    """With its exit code and what it said."""
    (home / ".bash_profile").write_text("echo no license >&2\nexit 1\n")
    done = run(home)
    assert done.returncode == 1
    assert "no license" in done.stderr
    assert "pid" not in done.stdout


def test_profile_of_the_administrator_with_a_mistake(home: Path) -> None:
    """Said on stderr, with the name of the file."""
    (home.parent / "conf" / "rsession-profile").write_text("if then fi\n")
    done = run(home)
    assert done.returncode != 0
    assert "rsession-profile" in done.stderr


def test_profile_that_cannot_be_read_is_passed_over(home: Path) -> None:
    """A directory of that name, say."""
    (home.parent / "conf" / "rsession-profile").mkdir()
    assert run(home).returncode == 0


def test_without_bash_sh_does_it(home: Path, tmp_path: Path) -> None:
    """As a login shell too."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name in ("sh", "env", "id"):
        (bin_dir / name).symlink_to(f"/usr/bin/{name}")
    (home / ".profile").write_text("export FROM_PROFILE=1\n")
    (home / ".bash_profile").write_text("export FROM_BASH=1\n")
    seen = variables(run(home, path=str(bin_dir)))
    assert seen["FROM_PROFILE"] == "1"
    assert "FROM_BASH" not in seen


def test_program_that_is_not_there(home: Path) -> None:
    """127 and its name."""
    done = run(home, "/nonexistent/rsession")
    assert done.returncode in {126, 127}
    assert "/nonexistent/rsession" in done.stderr


def test_input_is_not_eaten(home: Path) -> None:
    """A profile that reads gets an end of file, not a hang."""
    (home / ".bash_profile").write_text("read answer\ncat\nexport READ=done\n")
    assert variables(run(home))["READ"] == "done"
