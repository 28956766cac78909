"""What `make run` starts and says."""

import os
from pathlib import Path

import pytest

from tools import accounts, serve


class Started(Exception):
    """Instead of becoming the server."""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled with the command line of the server."""
    argv: list[str] = []

    def become(program: str, arguments: list[str]) -> None:
        argv.extend(arguments)
        raise Started

    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(os, "execv", become)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "demo_password", lambda: "pass7")
    return argv


def run(*arguments: str) -> None:
    with pytest.raises(Started):
        serve.serve(arguments)


def test_in_the_foreground_and_for_this_machine_only(started: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run()
    assert started[1:] == ["--server-daemonize=0", "--www-address=127.0.0.1"]
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8787/" in said
    assert "rdemo with the password pass7" in said


def test_what_is_said_on_the_command_line_counts(started: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run("--www-port=8080", "--www-address=0.0.0.0")
    assert started[2:] == ["--www-port=8080", "--www-address=0.0.0.0"]
    assert "http://127.0.0.1:8080/" in capsys.readouterr().out


def test_an_address_in_the_file_counts(started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rserver.conf").write_text("www-address=127.0.0.2\nwww-root-path=/r\n")
    run()
    assert started[1:] == ["--server-daemonize=0"]
    assert "http://127.0.0.2:8787/r" in capsys.readouterr().out


def test_errors_are_left_to_the_server(started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rserver.conf").write_text("www-port=x\n")
    run()
    assert started
    assert capsys.readouterr().out == ""
