import json
from dataclasses import replace
from pathlib import Path

import pytest

from rsession.services.disk_file import digest, replace_file
from rsession.services.document import Document
from rsession.services.source_database import MAX_DOCUMENTS, SourceDatabase
from rsession.services.text_format import decode


def document(id_: str = "0123abcd", content: bytes = b"1\r\n2\n", order: int = 1) -> Document:
    text, text_format = decode(content)
    return Document(id_, order, 1000.5, text=text, format=text_format, name="Untitled1", is_dirty=True)


@pytest.mark.parametrize("content", [b"", b"a\r\nb\r\n", b"1\r\n2\n3\r", b"\xef\xbb\xbfx", b"caf\xe9", "😀".encode()])
def test_a_document_comes_back_as_it_was(tmp_path: Path, content: bytes) -> None:
    database = SourceDatabase(tmp_path / "sources" / "session-89abcdef")
    stamp = replace_file(tmp_path / "x.R", b"other")
    before = replace(document(content=content), path=str(tmp_path / "x.R"), stamp=stamp, saved_digest=digest(b"other"))
    database.write(before, with_properties=True)
    (after,) = database.load()
    assert replace(after, revision=before.revision) == before
    assert after.revision > before.revision


def test_the_text_counts_when_only_it_was_written(tmp_path: Path) -> None:
    database = SourceDatabase(tmp_path)
    before = replace(document(content=b"x\n"), is_dirty=False, saved_digest=digest(b"x\n"))
    database.write(before, with_properties=True)
    database.write(before.spliced(0, 1, "longer\nby a line"), with_properties=False)
    (after,) = database.load()
    assert after.text == "longer\nby a line\n"
    assert after.is_dirty


def test_files_are_private_and_in_rstudio_s_places(tmp_path: Path) -> None:
    folder = tmp_path / "session-89abcdef"
    SourceDatabase(folder).write(document(content=b"x"), with_properties=True)
    assert sorted(path.name for path in folder.iterdir()) == ["0123abcd", "0123abcd-contents"]
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "0123abcd-contents").read_text() == "x"
    properties = json.loads((folder / "0123abcd").read_text())
    assert (properties["id"], properties["type"], properties["created"]) == ("0123abcd", "r_source", 1000500.0)


def test_what_others_left_there_is_neither_read_nor_removed(tmp_path: Path) -> None:
    database = SourceDatabase(tmp_path)
    database.write(document(), with_properties=True)
    strangers = {"lock_file": b"", "deadbeef": b"no json", "feedf00d": b"{}", "0badf00d": b"[1]", "suspend_file": b"x"}
    for name, content in strangers.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "11111111").mkdir()
    assert [found.id for found in database.load()] == ["0123abcd"]
    assert all((tmp_path / name).read_bytes() == content for name, content in strangers.items())


def test_closed_documents_are_kept_until_the_end(tmp_path: Path) -> None:
    database = SourceDatabase(tmp_path)
    database.write(document(), with_properties=True)
    database.close("0123abcd")
    assert database.load() == []
    assert (tmp_path / "closed" / "0123abcd-contents").read_text() == "1\n2\n"
    database.forget_closed()
    assert list(tmp_path.iterdir()) == []


def test_closed_documents_are_bounded(tmp_path: Path) -> None:
    database = SourceDatabase(tmp_path)
    for number in range(60):
        database.write(document(f"{number:08x}"), with_properties=True)
        database.close(f"{number:08x}")
    assert len(list((tmp_path / "closed").iterdir())) == 100


def test_order_and_number_are_bounded(tmp_path: Path) -> None:
    database = SourceDatabase(tmp_path)
    for number in range(MAX_DOCUMENTS + 1):
        database.write(document(f"{number:08x}", order=1000 - number), with_properties=True)
    found = database.load()
    assert len(found) == MAX_DOCUMENTS
    assert found[0].id == f"{MAX_DOCUMENTS:08x}"


def test_what_a_killed_process_wrote_aside_is_removed(tmp_path: Path) -> None:
    tmp_path.joinpath(".0123abcd-contents.part").write_text("half")
    SourceDatabase(tmp_path).load()
    assert list(tmp_path.iterdir()) == []
