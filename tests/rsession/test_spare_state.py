"""Sessions while the home cannot be written, and afterwards."""

from pathlib import Path

import pytest

from rsession import spare_state, state_home
from rsession.spare_state import CannotTakeAlong, bring_home, take_along

ID = "0123456789abcdef01234"
NAME = "session-def01234"


class Home:
    """The state folder of a home, and the spare one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.spare = folder / "home", folder / "spare"
        self.state = self.path / ".local/share/rstudio"
        for parent in (self.state, self.spare):
            parent.mkdir(parents=True, mode=0o700)
        self._monkeypatch = monkeypatch
        self.is_usable(True)

    def is_usable(self, usable: bool) -> None:
        """Root writes everywhere: what a process would decide is said here."""
        chosen = state_home.StateHome(str(self.state if usable else self.spare))
        self._monkeypatch.setattr(spare_state, "state_home", lambda _home: chosen)
        self._monkeypatch.setattr(spare_state, "spare_path", lambda: str(self.spare))

    def write(self, parent: Path, objects: str, **documents: str) -> None:
        """What a session keeps there."""
        store = parent / "sessions/active" / NAME / "suspended-session-data"
        sources = parent / "sources" / NAME
        for folder in (store, sources):
            folder.mkdir(parents=True, exist_ok=True)
        (store / "manifest").write_text(objects)
        for name, text in documents.items():
            (sources / name).write_text(text)

    def objects(self) -> str:
        """Of the session, in the home."""
        return (self.state / "sessions/active" / NAME / "suspended-session-data/manifest").read_text()

    def documents(self) -> dict[str, str]:
        """Of the session, in the home."""
        return {path.name: path.read_text() for path in (self.state / "sources" / NAME).iterdir()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


def test_a_session_takes_along_what_it_has_and_brings_it_home(home: Home) -> None:
    home.write(home.state, "old", a="old", b="old")
    home.is_usable(False)
    take_along(str(home.path), ID)
    kept = home.spare / "sessions/active" / NAME / "suspended-session-data/manifest"
    assert kept.read_text() == "old"
    home.write(home.spare, "new", a="new", c="new")
    home.is_usable(True)
    assert "moved" in bring_home(str(home.path), ID)
    assert home.objects() == "new"
    assert home.documents() == {"a": "new", "b": "old", "c": "new"}
    assert not home.spare.exists()
    assert not list(home.state.rglob("taken-along"))


def test_what_began_with_nothing_does_not_take_the_place_of_objects(home: Home) -> None:
    home.write(home.state, "old", a="old")
    home.write(home.spare, "begun anew", b="new")
    told = bring_home(str(home.path), ID)
    assert home.objects() == "old"
    assert home.documents() == {"a": "old", "b": "new"}
    (beside,) = (home.state / "sessions/active").glob(f"{NAME}.meanwhile-*")
    assert str(beside) in told
    assert (beside / "suspended-session-data/manifest").read_text() == "begun anew"


def test_a_second_process_goes_on_with_what_the_first_has_taken_along(home: Home) -> None:
    home.write(home.state, "old")
    home.is_usable(False)
    take_along(str(home.path), ID)
    home.write(home.spare, "new")
    take_along(str(home.path), ID)
    kept = home.spare / "sessions/active" / NAME / "suspended-session-data/manifest"
    assert kept.read_text() == "new"


def test_a_session_that_cannot_be_copied_is_not_begun_with_nothing(home: Home) -> None:
    home.write(home.state, "old")
    (home.spare / "sessions").write_text("in the way")
    home.is_usable(False)
    with pytest.raises(CannotTakeAlong, match="not started"):
        take_along(str(home.path), ID)
    assert home.objects() == "old"
