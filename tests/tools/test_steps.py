"""Steps of the set-up: once for the same inputs, resumable, loud only when they fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools import steps
from tools.steps import SetUpError, Step


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "STATE", tmp_path)
    return tmp_path


def step(state: Path, do: Callable[[], None], key: str = "k") -> Step:
    return Step("it", "doing it", key, state / "product", do)


def test_done_once_for_the_same_key(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []

    def do() -> None:
        done.append("once")
        (state / "product").touch()

    for key in ("1", "1", "2", "2"):
        step(state, do, key).run()
    assert done == ["once", "once"]
    assert capsys.readouterr().out == "set-up: doing it\n" * 2


def test_done_again_when_the_product_is_gone(state: Path) -> None:
    done: list[int] = []
    for _ in range(2):
        step(state, lambda: done.append(1)).run()
    assert len(done) == 2


def test_a_step_that_fails_is_tried_again(state: Path) -> None:
    def fail() -> None:
        raise SetUpError("no")

    with pytest.raises(SetUpError):
        step(state, fail).run()
    done: list[int] = []
    step(state, lambda: done.append(1)).run()
    assert done == [1]


def test_command_is_quiet_when_it_works(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps.command("log", ["sh", "-c", "echo loud; echo louder >&2"])
    assert capfd.readouterr() == ("", "")
    assert (state / "log.log").read_text() == "loud\nlouder\n"


def test_command_shows_its_end_when_it_fails(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetUpError, match="ended with 3"):
        steps.command("log", ["sh", "-c", "seq 1000; exit 3"])
    shown = capfd.readouterr().err.split()
    assert shown[-1] == "1000"
    assert len(shown) < 100


def test_digest_tells_texts_apart() -> None:
    assert len({steps.digest("ab", "c"), steps.digest("a", "bc"), steps.digest("abc")}) == 3
