"""The parts of the set-up that look at the machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tools import debian, python_env, web_bundle
from tools.layout import ROOT


def test_missing_packages_are_told_from_installed_ones() -> None:
    assert debian.missing(["libc6", "no-such-package-here"]) == ["no-such-package-here"]


def test_nothing_is_asked_of_the_package_manager_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("apt-get was started")

    monkeypatch.setattr(debian, "command", never)
    debian.ensure(["libc6"])


def test_without_root_the_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    debian.ensure(["libc6", "no-such-package-here"])
    assert "apt-get install no-such-package-here\n" in capsys.readouterr().out


def test_requirements_are_those_of_setup_cfg() -> None:
    assert any(line.startswith("twisted") for line in python_env.requirements("run"))
    assert any(line.startswith("pytest") for line in python_env.requirements("test"))


@pytest.mark.parametrize(
    ("version", "usable"),
    [("v18.20.4", False), ("v20.18.9", False), ("v20.19.0", True), ("v26.1.0", True), ("x", False)],
)
def test_only_a_new_enough_node_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, usable: bool
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (web_bundle.system_node() is not None) is usable


def test_no_node_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert web_bundle.system_node() is None
    assert Path(web_bundle.npm("ci")[0]).name == "node"


def test_make_help_names_every_target() -> None:
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in done.stdout.splitlines()} >= {
        "run",
        "setup",
        "test",
        "check",
        "generate",
        "bench",
    }
