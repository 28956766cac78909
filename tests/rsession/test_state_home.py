"""Where the state folder is."""

from pathlib import Path

import pytest

from rsession import state_home


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    state_home.state_home.cache_clear()
    for name in ("RSTUDIO_DATA_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_usual_place_is_made_for_the_user_alone(tmp_path: Path) -> None:
    found = state_home.state_home(str(tmp_path))
    assert found == state_home.StateHome(f"{tmp_path}/.local/share/rstudio")
    assert Path(found.path).stat().st_mode & 0o777 == 0o700


def test_variables_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", f"{tmp_path}/data")
    assert state_home.state_home(str(tmp_path)).path == f"{tmp_path}/data/rstudio"
    state_home.state_home.cache_clear()
    monkeypatch.setenv("RSTUDIO_DATA_HOME", f"{tmp_path}/own")
    assert state_home.state_home(str(tmp_path)).path == f"{tmp_path}/own"
    state_home.state_home.cache_clear()
    monkeypatch.setenv("RSTUDIO_DATA_HOME", "relative")
    assert state_home.state_home(str(tmp_path)).path == f"{tmp_path}/data/rstudio"


def test_old_place_is_moved_once(tmp_path: Path) -> None:
    (tmp_path / ".rstudio/sources").mkdir(parents=True)
    (tmp_path / ".rstudio/kept").write_text("mine")
    path = Path(state_home.state_home(str(tmp_path)).path)
    assert path == tmp_path / ".local/share/rstudio"
    assert (path / "kept").read_text() == "mine"
    assert not (tmp_path / ".rstudio").exists()


def test_old_place_beside_the_new_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".local/share/rstudio").mkdir(parents=True)
    (tmp_path / ".rstudio").mkdir()
    (tmp_path / ".rstudio/kept").write_text("mine")
    assert state_home.state_home(str(tmp_path)).path == f"{tmp_path}/.local/share/rstudio"
    assert (tmp_path / ".rstudio/kept").read_text() == "mine"


def test_old_place_that_cannot_be_moved_is_used(tmp_path: Path) -> None:
    (tmp_path / ".rstudio").mkdir()
    (tmp_path / ".local").write_text("in the way")
    assert state_home.state_home(str(tmp_path)) == state_home.StateHome(f"{tmp_path}/.rstudio")
