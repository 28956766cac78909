"""With a systemctl that writes down what it was asked: no test machine is booted by systemd for sure."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rserver_admin import life
from rserver_admin.command_line import parse
from rserver_admin.systemd import Systemd
from rserver_admin.verb import Context, Refused

Make = Callable[..., Systemd]
pytestmark = pytest.mark.root


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    return tmp_path / "asked"


@pytest.fixture
def make(tmp_path: Path, asked: Path) -> Make:
    def make(**codes: int) -> Systemd:
        cases = "".join(f"{verb.replace('_', '-')}) exit {code};;" for verb, code in codes.items())
        program = tmp_path / "systemctl"
        program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\ncase "$1" in {cases} esac\n')
        program.chmod(0o755)
        return Systemd(str(tmp_path), str(program))

    return make


def test_the_unit_is_the_server_of_the_machine(make: Make) -> None:
    systemd = make()
    assert systemd.has_unit((), {})
    assert not systemd.has_unit(("--server-data-dir=/x",), {})
    assert not systemd.has_unit((), {"RSTUDIO_CONFIG_DIR": "/x"})
    assert not make(cat=1).has_unit((), {})
    assert not Systemd("/nonexistent", systemd.program).has_unit((), {})


def test_the_verbs_are_handed_on(make: Make, asked: Path) -> None:
    systemd = make(is_active=3, stop=5)
    assert (systemd.do("start"), systemd.do("stop"), systemd.is_active()) == (0, 5, False)
    assert asked.read_text().splitlines() == ["start rserver", "stop rserver", "is-active --quiet rserver"]


def test_what_systemctl_refuses_is_refused_with_its_exit_code(
    make: Make, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context(parse(["start"]), {"HOME": "/root"})
    monkeypatch.setattr(context.server, "pid_file", tmp_path / "none")
    with pytest.raises(Refused) as refusal:
        life.start(context, make(start=6))
    assert refusal.value.code == 6
    assert "start rserver" in asked.read_text()
