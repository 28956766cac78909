import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from tests.rsession.running import RunningSession, ready
from tests.rsession.services.conftest import Desk

pytestmark = pytest.mark.r

CODES = {"invalid": 10, "stale": 1001, "changed": 1002, "unwritable": 1003}


@pytest.fixture
def home(desk: Desk) -> Path:
    for document in desk.call("list_documents"):
        desk.call("close_document", document["id"])
    return desk.session.home


def opened(desk: Desk, path: Path, content: bytes) -> dict[str, object]:
    path.write_bytes(content)
    document: dict[str, object] = desk.call("open_document", str(path))
    return document


def test_a_new_document_is_named_numbered_and_empty(desk: Desk, home: Path) -> None:
    first, second = desk.call("new_document"), desk.call("new_document", "text", "words")
    assert (first["name"], second["name"]) == ("Untitled1", "Untitled2")
    assert (first["contents"], first["dirty"], first["path"], first["type"]) == ("", False, None, "r")
    assert (second["contents"], second["dirty"], second["type"]) == ("words", True, "text")
    assert second["order"] > first["order"]
    assert [d["id"] for d in desk.call("list_documents")] == [first["id"], second["id"]]
    assert all("contents" not in d for d in desk.call("list_documents"))


def test_updates_count_utf16_units_and_revisions(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document", "r", "a😀b")["id"]
    assert desk.call("update_document", id_, 1, 3, 4, "é") == {"revision": 2}
    assert desk.call("update_document", id_, 2, 1, 3, "") == {"revision": 3}
    document = desk.call("get_document", id_)
    assert (document["contents"], document["revision"], document["dirty"]) == ("aé", 3, True)


def test_an_update_of_another_revision_is_refused(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document")["id"]
    desk.call("update_document", id_, 1, 0, 0, "x")
    error = desk.error("update_document", id_, 1, 0, 0, "y")
    assert error["code"] == CODES["stale"]
    assert desk.call("get_document", id_)["contents"] == "x"


@pytest.mark.parametrize(("start", "end", "insert"), [(0, 9, ""), (-1, 0, ""), (2, 1, ""), (2, 2, "x"), (0, 0, "\r\n")])
def test_impossible_updates_change_nothing(desk: Desk, home: Path, start: int, end: int, insert: str) -> None:
    id_ = desk.call("new_document", "r", "a😀b")["id"]
    assert desk.error("update_document", id_, 1, start, end, insert)["code"] == CODES["invalid"]
    assert desk.call("get_document", id_)["revision"] == 1


def test_every_answered_update_is_on_disk(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document")["id"]
    folder = home / ".local/share/rstudio/sources/session-def01234"
    for revision, letter in enumerate("abc", 1):
        desk.call("update_document", id_, revision, 0, 0, letter)
        assert (folder / f"{id_}-contents").read_text() == "cba"[-revision:]


@pytest.mark.parametrize(
    "content",
    [b"a\nb\n", b"a\r\nb", b"1\n2\r\n3\r", b"\xef\xbb\xbfx\n", b"caf\xe9\r\n", b"", "😀".encode()],
)
def test_a_file_that_is_opened_and_saved_keeps_every_byte(desk: Desk, home: Path, content: bytes) -> None:
    path = home / "bytes.R"
    document = opened(desk, path, content)
    desk.call("update_document", document["id"], document["revision"], 0, 0, "z")
    desk.call("update_document", document["id"], int(str(document["revision"])) + 1, 0, 1, "")
    saved = desk.call("save_document", document["id"])
    assert path.read_bytes() == content
    assert not saved["dirty"]


def test_an_open_file_is_opened_once_also_through_a_link(desk: Desk, home: Path) -> None:
    document = opened(desk, home / "one.R", b"x")
    (home / "link.R").unlink(missing_ok=True)
    (home / "link.R").symlink_to("one.R")
    assert desk.call("open_document", "~/link.R")["id"] == document["id"]
    assert len(desk.call("list_documents")) == 1


def test_opening_again_reads_what_changed_unless_there_is_unsaved_text(desk: Desk, home: Path) -> None:
    path = home / "again.R"
    document = opened(desk, path, b"one")
    again = opened(desk, path, b"two")
    assert (again["id"], again["contents"], again["revision"]) == (document["id"], "two", 2)
    desk.call("update_document", document["id"], 2, 0, 0, "mine ")
    assert opened(desk, path, b"three")["contents"] == "mine two"


def test_saving_over_somebody_else_s_change_asks_first(desk: Desk, home: Path) -> None:
    path = home / "theirs.R"
    document = opened(desk, path, b"one")
    desk.call("set_document", document["id"], "mine")
    path.write_bytes(b"theirs")
    assert desk.error("save_document", document["id"])["code"] == CODES["changed"]
    assert path.read_bytes() == b"theirs"
    assert desk.call("get_document", document["id"])["dirty"]
    desk.call("save_document", document["id"], None, True)
    assert path.read_bytes() == b"mine"


def test_saving_as_does_not_overwrite_unasked(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document", "r", "text")["id"]
    (home / "there.Rmd").write_bytes(b"theirs")
    assert desk.error("save_document", id_, "~/there.Rmd")["code"] == CODES["changed"]
    saved = desk.call("save_document", id_, "~/there.Rmd", True)
    assert (saved["path"], saved["name"], saved["type"]) == (str(home / "there.Rmd"), "there.Rmd", "rmarkdown")
    assert (home / "there.Rmd").read_bytes() == b"text"
    assert desk.error("save_document", desk.call("new_document")["id"])["code"] == CODES["invalid"]


def test_what_cannot_be_written_is_told_and_kept(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document", "r", "text")["id"]
    error = desk.error("save_document", id_, "/proc/nothing/here.R")
    assert error["code"] == CODES["unwritable"]
    assert "No such file" in error["message"]
    assert desk.error("save_document", id_, str(home), True)["code"] == CODES["unwritable"]
    assert desk.call("get_document", id_)["contents"] == "text"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"a\0b", "binary"), (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MiB")]
)
def test_what_is_no_text_is_not_opened(desk: Desk, home: Path, content: bytes, reason: str) -> None:
    (home / "data.bin").write_bytes(content)
    error = desk.error("open_document", "~/data.bin")
    assert error["code"] == CODES["invalid"]
    assert reason in error["message"]


@pytest.mark.parametrize("path", ["", "~/nothing.R", "/", "/dev/zero", "a\0b", "x" * 5000])
def test_what_is_no_file_is_not_opened(desk: Desk, home: Path, path: str) -> None:
    assert desk.error("open_document", path)["code"] == CODES["invalid"]


def test_other_listeners_hear_of_everything(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document")["id"]
    desk.call("update_document", id_, 1, 0, 0, "x")
    desk.call("close_document", id_)
    desk.events.wait_for(lambda e: e["type"] == "document_closed" and e["data"]["id"] == id_)
    opened, changed, closed = (e for e in desk.events.seen if id_ in str(e["data"]))
    assert (opened["type"], opened["data"]["document"]["contents"]) == ("document_opened", "")
    assert changed["type"] == "document_changed"
    assert changed["data"] == {"id": id_, "revision": 2, "clientId": desk.session.client_id, "dirty": True}
    assert closed["type"] == "document_closed"


def test_a_closed_document_is_gone(desk: Desk, home: Path) -> None:
    id_ = desk.call("new_document")["id"]
    desk.call("close_document", id_)
    for method, *params in (("get_document",), ("close_document",), ("save_document",), ("set_document", "x")):
        assert desk.error(method, id_, *params)["code"] == CODES["invalid"]


def test_documents_are_bounded(desk: Desk, home: Path) -> None:
    for _ in range(200):
        desk.call("new_document")
    assert "200 documents" in desk.error("new_document")["message"]


def test_unsaved_text_is_there_after_a_kill() -> None:
    with RunningSession() as session:
        stream = ready(session)
        (session.home / "a.R").write_bytes(b"1\r\n2\r\n")
        id_ = session.call("open_document", "~/a.R")["id"]
        session.call("update_document", id_, 1, 0, 0, "x <- '😀'\n")
        stream.close()
        os.kill(session.pid, signal.SIGKILL)
        session.process.wait()  # type: ignore[union-attr]
        restart(session)
        (document,) = session.init()["documents"]
        assert (document["id"], document["contents"], document["dirty"]) == (id_, "x <- '😀'\n1\n2\n", True)
        assert session.rpc("update_document", id_, 1, 0, 0, "y")["error"]["code"] == CODES["stale"]
        session.call("save_document", id_)
        assert (session.home / "a.R").read_bytes() == "x <- '😀'\r\n1\r\n2\r\n".encode()


def restart(session: RunningSession) -> None:
    session.client_id = ""
    session.launch()


@pytest.mark.root
def test_a_write_protected_folder_keeps_the_old_file() -> None:
    subprocess.run(["useradd", "-M", "rsbdoc"], check=True)
    try:
        with RunningSession(["--server-uid=0"], user="rsbdoc") as session:
            stream = ready(session)
            folder = session.home / "locked"
            folder.mkdir()
            (folder / "a.R").write_bytes(b"old")
            os.chown(folder / "a.R", pwd.getpwnam("rsbdoc").pw_uid, -1)
            id_ = session.call("open_document", str(folder / "a.R"))["id"]
            session.call("set_document", id_, "new")
            error = session.rpc("save_document", id_)["error"]
            assert error["code"] == CODES["unwritable"]
            assert "Permission denied" in error["message"]
            assert (folder / "a.R").read_bytes() == b"old"
            assert session.call("get_document", id_)["dirty"]
            stream.close()
    finally:
        subprocess.run(["userdel", "rsbdoc"], check=True)


def test_a_state_folder_that_cannot_be_written_is_told() -> None:
    with RunningSession() as session:
        stream = ready(session)
        sources = session.home / ".local/share/rstudio/sources"
        sources.write_bytes(b"in the way")
        error = session.rpc("new_document")["error"]
        assert error["code"] == CODES["unwritable"]
        assert "state folder" in error["message"]
        assert session.call("list_documents") == []
        session.type("1 + 1")
        stream.wait_for_prompt()
        sources.unlink()
        assert session.call("new_document")["name"] == "Untitled1"
        stream.close()
