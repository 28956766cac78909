"""What the project of a session wishes, before R is chosen for good."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rserver_core.test_r_installation import make_r

ROOT = Path(__file__).resolve().parents[2]
SESSION = "0000012345678abcdef12"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a project in it."""
    (tmp_path / "home" / "work").mkdir(parents=True)
    return tmp_path / "home"


def ask(home: Path, versions: list[dict[str, str]], *more: str, **env: str) -> dict[str, str | None]:
    """Variables that change; None: unset."""
    argv = [
        sys.executable,
        "-I",
        "-S",
        str(ROOT / "rsession" / "__main__.py"),
        f"--session-id={SESSION}",
        f"--project={home}/work",
        *more,
        "--choose-r=1",
    ]
    base = {"HOME": str(home), "PATH": "/usr/bin:/bin", "RSTUDIO_CONFIG_DIR": str(home)}
    done = subprocess.run(
        argv, env=base | {"RS_R_VERSIONS": json.dumps(versions)} | env, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    changes: dict[str, str | None] = {}
    for line in done.stdout.splitlines():
        verb, rest = line.split(" ", 1)
        name, _, value = rest.partition("=")
        changes[name] = shlex.split(value)[0] if verb == "export" else None
    return changes


def wish(home: Path, version: str) -> None:
    (home / "work" / "work.Rproj").write_text(f"Version: 1.0\nRVersion: {version}\n")


def listed(home: Path) -> list[dict[str, str]]:
    """Two versions, the second with all that a record may say."""
    for version in ("4.4.1", "3.6.3"):
        make_r(home.parent / version, version)
    more = {"label": "It's old", "module": "gcc", "script": "/s", "repo": "/r", "library": "/l"}
    return [
        {"version": "4.4.1", "home": f"{home.parent}/4.4.1"},
        {"version": "3.6.3", "home": f"{home.parent}/3.6.3", **more},
    ]


def test_no_wish_changes_nothing(home: Path) -> None:
    versions = listed(home)
    assert ask(home, versions) == {}
    wish(home, "Default")
    assert ask(home, versions) == {}


def test_another_version_with_all_that_its_record_says(home: Path) -> None:
    versions = listed(home)
    wish(home, "3.6.3")
    old, new = f"{home.parent}/4.4.1", f"{home.parent}/3.6.3"
    changed = ask(home, versions, R_HOME=old, LD_LIBRARY_PATH=f"{old}/lib:/opt/blas", RS_R_KEY=f"4.4.1|{old}")
    assert changed == {
        "R_HOME": new,
        "R_SHARE_DIR": f"{new}/share",
        "R_INCLUDE_DIR": f"{new}/include",
        "R_DOC_DIR": f"{new}/doc",
        "R_ARCH": None,
        "LD_LIBRARY_PATH": f"{new}/lib:/opt/blas",
        "RSTUDIO_R_VERSION_LABEL": "It's old",
        "RSTUDIO_R_MODULE": "gcc",
        "RSTUDIO_R_PRELAUNCH_SCRIPT": "/s",
        "RSTUDIO_R_REPO": "/r",
        "R_LIBS_SITE": "/l",
        "RS_R_KEY": f"3.6.3|{new}|It's old",
        "RS_R_NOTE": None,
    }


def test_the_version_that_was_chosen_anyway(home: Path) -> None:
    versions = listed(home)
    wish(home, "4.4.1")
    key = f"4.4.1|{home.parent}/4.4.1"
    assert ask(home, versions, R_HOME=f"{home.parent}/4.4.1", RS_R_KEY=key, RS_R_NOTE="x") == {"RS_R_NOTE": None}


def test_a_wish_that_cannot_be_met_is_told(home: Path) -> None:
    versions = listed(home)
    wish(home, "3.6.0")
    note = ask(home, versions)["RS_R_NOTE"]
    assert note is not None
    assert note.startswith("The project wants R 3.6.0, which is not on this server; this session runs R 3.6.3 (It's")
    wish(home, "a||b||c||d")
    assert ask(home, versions) == {"RS_R_NOTE": "The project wants another R, but 'a||b||c||d' names no R."}
    wish(home, "Nobody's")
    assert ask(home, versions) == {"RS_R_NOTE": "The project wants Nobody's, which is not on this server."}


def test_an_r_that_went_away_meanwhile(home: Path) -> None:
    versions = listed(home)
    wish(home, "3.6.3")
    (home.parent / "3.6.3" / "lib" / "libR.so").unlink()
    (note,) = ask(home, versions).values()
    assert note is not None
    assert note.startswith("The project wants R 3.6.3, which cannot be used: the R in")


def test_what_the_project_ran_last(home: Path) -> None:
    versions = listed(home)
    (home / "work" / "work.Rproj").write_text("Version: 1.0\n")
    kept = home / ".local/share/rstudio/rversion-settings"
    kept.mkdir(parents=True)
    (kept / "12345678-RVersion").write_text(f"3.6.3|{home.parent}/3.6.3|It's old\n")
    assert ask(home, versions)["R_HOME"] == f"{home.parent}/3.6.3"
    os.truncate(kept / "12345678-RVersion", 0)
    assert ask(home, versions) == {}


def test_nonsense_changes_nothing(home: Path) -> None:
    wish(home, "3.6.3")
    for text in ("", "x", "[1]", '{"a": 1}', '[{"version": 1}]'):
        assert "R_HOME" not in ask(home, [], RS_R_VERSIONS=text)
    assert ask(home, listed(home), "--no-such-option=1") == {}
