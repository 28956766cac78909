"""Files of the run directory."""

import json
import os
from pathlib import Path

import pytest

from rserver_core.launch_wire import SessionRecord
from rserver_process.memory_end import MemoryEnd
from rserver_process.run_records import RunDirectoryError, RunRecords, SessionExit

SESSION = "0123456789abcdef01234"


def record(session: str = SESSION, pid: int = 4321) -> SessionRecord:
    """A record of a session that never ran."""
    return SessionRecord(session, "somebody", 1000, 1000, pid, 4320, 1.5, 77, 76, f"/run/x/{session}.sock")


@pytest.fixture
def files(tmp_path: Path) -> RunRecords:
    """A prepared run directory."""
    made = RunRecords(str(tmp_path))
    made.prepare()
    return made


def test_record_comes_back_as_it_was_written(files: RunRecords) -> None:
    """And nothing else lies beside it."""
    files.write_record(record())
    files.write_record(record(pid=5))
    assert files.record(SESSION) == record(pid=5)
    assert list(files.records()) == [record(pid=5)]
    assert os.listdir(files.folder) == [f"{SESSION}.json"]
    assert os.stat(os.path.join(files.folder, f"{SESSION}.json")).st_mode & 0o777 == 0o600


def test_end_comes_back_as_it_was_written(files: RunRecords) -> None:
    """With the session and pid of the record."""
    end = SessionExit(SESSION, 4321, None, 11, "last words é \x00", MemoryEnd("limit", 5, 7), 9.5)
    files.write_exit(end, 12.5)
    assert files.exit(record()) == end
    stored = json.loads(Path(files.folder, f"{SESSION}.exit").read_text())
    memory = {"by": "limit", "used": 5, "limit": 7}
    told = {"code": None, "signal": 11, "stderr_tail": "last words é \x00", "memory": memory, "checkpoint": 9.5}
    assert stored == {**told, "pid": 4321, "by": "", "ended": 12.5}


def test_order_counts_for_the_process_that_it_names(files: RunRecords) -> None:
    """A later process of the session was not killed by it."""
    files.write_order(record(pid=7))
    assert files.ordered_by(SESSION, 7) == "administrator"
    assert files.ordered_by(SESSION, 8) == ""
    files.forget(SESSION)
    assert files.ordered_by(SESSION, 7) == ""


@pytest.mark.parametrize(
    ("told", "checkpoint", "code"), [(0, None, None), (1e9, 1e9, None), (101, None, 101), (102, None, 102)]
)
def test_time_of_the_socket_tells_of_objects(
    files: RunRecords, told: float, checkpoint: float | None, code: int | None
) -> None:
    """When they were saved last, or that the session left them on the disk and ends."""
    Path(files.socket(SESSION)).touch()
    os.utime(files.socket(SESSION), (told, told))
    assert (files.checkpoint(SESSION), files.left_code(SESSION)) == (checkpoint, code)


def test_forgotten_session_leaves_nothing(files: RunRecords) -> None:
    """And may be forgotten twice; how it ended is known until that is forgotten too."""
    end = SessionExit(SESSION, 1, 0, None, "")
    files.write_record(record())
    files.write_exit(end, 1.0)
    assert list(files.ends()) == []
    files.forget(SESSION)
    files.forget(SESSION)
    assert list(files.ends()) == [end]
    files.forget_end(SESSION)
    files.forget_end(SESSION)
    assert os.listdir(files.folder) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"session":"x"}',
        json.dumps({**record().to_json(), "pid": "1"}),
        "\xff\xfe",
        "9" * 300_000,
    ],
)
def test_record_that_cannot_be_read_is_none(files: RunRecords, content: str) -> None:
    """Whatever it holds, the others are read."""
    Path(files.folder, f"{SESSION}.json").write_text(content)
    other = record("f" * 21)
    files.write_record(other)
    assert files.record(SESSION) is None
    assert list(files.records()) == [other]


def test_record_of_another_session_is_none(files: RunRecords) -> None:
    """The name of the file counts."""
    files.write_record(record())
    os.rename(os.path.join(files.folder, f"{SESSION}.json"), os.path.join(files.folder, f"{'a' * 21}.json"))
    assert list(files.records()) == []


def test_links_and_pipes_are_not_read(files: RunRecords, tmp_path: Path) -> None:
    """Nothing but plain files of the folder."""
    outside = tmp_path / "outside"
    outside.write_text(json.dumps(record().to_json()))
    os.symlink(outside, os.path.join(files.folder, f"{SESSION}.json"))
    os.mkfifo(os.path.join(files.folder, f"{'b' * 21}.json"))
    assert list(files.records()) == []


def test_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """It could lead anywhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sessions").symlink_to("elsewhere")
    with pytest.raises(RunDirectoryError, match="no directory of ours"):
        RunRecords(str(tmp_path)).prepare()


def test_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    """Said at the start, not at the first session."""
    with pytest.raises(RunDirectoryError, match="too long"):
        RunRecords(str(tmp_path / ("x" * 100))).prepare()


@pytest.mark.root
def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """And ours gets its mode back."""
    files = RunRecords(str(tmp_path))
    files.prepare()
    os.chmod(files.folder, 0o777)
    files.prepare()
    assert os.stat(files.folder).st_mode & 0o777 == 0o711
    os.chown(files.folder, 65534, -1)
    with pytest.raises(RunDirectoryError):
        files.prepare()
