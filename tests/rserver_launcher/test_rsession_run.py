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


MODULES = """\
module() {
    case "$2" in
        old-fashioned) echo "it says so and answers 0" >&2; return 0 ;;
        gone) echo "no such module" >&2; return 1 ;;
    esac
    shift
    for name; do
        export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}$name/1.0" PATH="/modules/$name/bin:$PATH"
    done
    export ORDER="$ORDER module"
}
"""


def with_r(home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """With a script that defines `module`, as modules-bin-path names it."""
    (home.parent / "modules.sh").write_text(MODULES)
    return run(home, RS_MODULES_BIN_PATH=str(home.parent / "modules.sh"), LOADEDMODULES="", **env)


def test_profile_module_script_login_in_that_order(home: Path) -> None:
    (home.parent / "conf" / "rsession-profile").write_text('export ORDER="profile"\n')
    (home / ".bash_profile").write_text('export ORDER="$ORDER login"\n')
    script = home.parent / "start.sh"
    script.write_text('export ORDER="$ORDER script" SHELL_OF_SCRIPT="${BASH_VERSION:+bash}"\n')
    done = with_r(home, RSTUDIO_R_MODULE="gcc blas", RSTUDIO_R_PRELAUNCH_SCRIPT=str(script))
    seen = variables(done)
    assert done.returncode == 0, done.stderr
    assert seen["ORDER"] == "profile module script login"
    assert seen["LOADEDMODULES"] == "gcc/1.0:blas/1.0"
    assert seen["SHELL_OF_SCRIPT"] == "bash"


def test_what_a_module_puts_before_the_path_survives_the_login_shell(home: Path) -> None:
    """/etc/profile sets PATH anew."""
    (home / ".bash_profile").write_text('PATH="$HOME/bin:$PATH"\n')
    seen = variables(with_r(home, RSTUDIO_R_MODULE="gcc"))
    assert seen["PATH"].startswith(f"/modules/gcc/bin:{home}/bin:")
    assert "RS_PATH" not in seen


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("gone", "no such module"),
        ("gone", "rsession-run: module load gone failed with exit code 1"),
        ("old-fashioned", "rsession-run: module load old-fashioned did not load old-fashioned"),
    ],
)
def test_a_module_that_cannot_be_loaded(home: Path, module: str, words: str) -> None:
    done = with_r(home, RSTUDIO_R_MODULE=module)
    assert done.returncode == 71
    assert words in done.stderr
    assert "pid" not in done.stdout


def test_modules_without_the_command(home: Path) -> None:
    done = run(home, RSTUDIO_R_MODULE="gcc")
    assert done.returncode == 71
    assert "is modules-bin-path set?" in done.stderr
    done = run(home, RSTUDIO_R_MODULE="gcc", RS_MODULES_BIN_PATH="/nowhere/init")
    assert (done.returncode, "/nowhere/init cannot be read" in done.stderr) == (71, True)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo no license >&2\nfalse\n", "failed with exit code 1"),
        ("echo no license >&2\nexit 5\n", "ended the start with exit code 5"),
        ("echo no license >&2\nexit 0\n", "ended the start with exit code 0"),
    ],
)
def test_a_script_that_fails_or_ends(home: Path, script: str, words: str) -> None:
    path = home.parent / "start.sh"
    path.write_text(script)
    done = with_r(home, RSTUDIO_R_PRELAUNCH_SCRIPT=str(path))
    assert done.returncode == 72
    assert "no license" in done.stderr
    assert f"{path} {words}" in done.stderr
    assert "pid" not in done.stdout


def test_a_script_that_is_not_there(home: Path) -> None:
    done = with_r(home, RSTUDIO_R_PRELAUNCH_SCRIPT="/nowhere/start.sh")
    assert (done.returncode, "/nowhere/start.sh cannot be read" in done.stderr) == (72, True)


CHOOSER = (
    "/bin/sh",
    "-c",
    'for a; do [ "$a" = --choose-r=1 ] && { echo "export R_HOME=/opt/new; unset OLD"; exit; }; done; env',
    "x",
)


def test_the_project_may_want_another_r(home: Path) -> None:
    """Asked before anything else, so that the profile sees the R that will run."""
    (home.parent / "conf" / "rsession-profile").write_text('export SEEN="$R_HOME"\n')
    seen = variables(run(home, *CHOOSER, R_HOME="/opt/old", OLD="1", RS_R_VERSIONS="[]"))
    assert (seen["R_HOME"], seen["SEEN"]) == ("/opt/new", "/opt/new")
    assert not {"OLD", "RS_R_VERSIONS", "chosen"} & seen.keys()
    assert variables(run(home, *CHOOSER, R_HOME="/opt/old"))["R_HOME"] == "/opt/old"


def test_a_project_that_cannot_be_asked_changes_nothing(home: Path) -> None:
    broken = ("/bin/sh", "-c", 'for a; do [ "$a" = --choose-r=1 ] && { echo "R_HOME=/x"; exit 1; }; done; env', "x")
    assert variables(run(home, *broken, R_HOME="/opt/old", RS_R_VERSIONS="[]"))["R_HOME"] == "/opt/old"
