"""What is removed of sessions that are gone, and what never is."""

import time
from pathlib import Path

import pytest

from rsession.services.source_database import SourceDatabase
from rsession.workspace.clean_up import ASIDE_SECONDS, ids_of, prune_asides, remove_sessions
from rsession.workspace.folder import NAME, session_folder
from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import suspend

OTHER = "fedcba98"
NOW = 1_700_000_000.0


def aside(folder: Path, age: float, why: str = "damaged") -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(NOW - age))
    made = folder / f"{NAME}.{why}-{stamp}"
    made.mkdir(parents=True)
    (made / "manifest").write_text("precious")
    return made


def test_the_newest_is_never_removed_and_others_while_they_are_few_and_young(tmp_path: Path) -> None:
    newest = aside(tmp_path, 2 * ASIDE_SECONDS, "not-restored")
    prune_asides(tmp_path, NOW)
    assert newest.exists()
    young = [aside(tmp_path, age) for age in (10.0, 20.0, 30.0, 40.0)]
    other = tmp_path / f"{NAME}.kept-by-hand"
    other.mkdir()
    prune_asides(tmp_path, NOW)
    assert not newest.exists()
    assert [path.exists() for path in young] == [True, True, True, False]
    prune_asides(tmp_path, NOW + 2 * ASIDE_SECONDS)
    assert [path.exists() for path in young] == [True, False, False, False]
    assert other.exists()


def test_only_ids_count_and_never_the_own_one() -> None:
    assert ids_of(f"{OTHER},../../etc,,FEDCBA98,01234567", "aaaaaaaaaaaaa01234567") == [OTHER]


def test_a_folder_in_use_stays(tmp_path: Path) -> None:
    folder = Path(session_folder(str(tmp_path), OTHER))
    (folder / NAME).mkdir(parents=True)
    (folder / "lock_file").write_text("{}")
    remove_sessions(tmp_path, [OTHER, "00000000"])
    assert (folder / NAME).exists()


@pytest.mark.r
def test_the_next_session_removes_all_but_unsaved_text() -> None:
    with RunningSession(environment={"RS_LEFT_SESSIONS": OTHER}) as session:
        stream = ready(session)
        script = session.home / "script.R"
        script.write_text("saved")
        saved = session.call("open_document", str(script))["id"]
        unsaved = session.call("new_document", "r", "nowhere else")["id"]
        evaluate(session, stream, "x <- 1")
        suspend(session, stream)
        state = session.home / ".local/share/rstudio"
        folder = state / "sessions/active"
        aside(folder / "session-def01234", 0.0)
        (folder / "session-def01234").rename(folder / f"session-{OTHER}")
        (state / "sources/session-def01234").rename(state / f"sources/session-{OTHER}")
        session.launch()
        ready(session)
        end = time.monotonic() + 30
        while (folder / f"session-{OTHER}" / NAME).exists() and time.monotonic() < end:
            time.sleep(0.1)
        while len(SourceDatabase(state / f"sources/session-{OTHER}").load()) > 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert [path.name for path in (folder / f"session-{OTHER}").iterdir() if NAME in path.name] != []
        assert not (folder / f"session-{OTHER}" / NAME).exists()
        (kept,) = SourceDatabase(state / f"sources/session-{OTHER}").load()
        assert (kept.id, kept.text) == (unsaved, "nowhere else")
        assert saved != unsaved
