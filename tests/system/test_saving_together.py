"""One file for all who edit it together: every way in which writing it can go wrong, through the whole real server."""

import contextlib
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.filebase.socket_member import controls
from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.test_collaborative_editing import LINES, Editor, two_editors
from tests.system.test_projects import until

pytestmark = [pytest.mark.root, pytest.mark.r]

TEXT = "one\ntwo\nzero\nthree é\nfour\n"
_numbers = count(1)


@contextlib.contextmanager
def joined(server: RunningServer, alice: Account, bob: Account, name: str) -> Iterator[tuple[Editor, Editor, Path]]:
    """Both are in the text; the file."""
    with two_editors(server, alice, bob, name) as both:
        keeper = both[0].server_of_text()
        for editor in both:
            editor.join(keeper).until(lambda page: page.ready and str(page) == TEXT)
        yield (*both, both[0].folder / "analysis.R")


def types(editor: Editor, text: str) -> None:
    assert editor.member is not None
    editor.member.do(lambda page: page.edit(0, 0, text))


def shows(text: str, *editors: Editor) -> None:
    for editor in editors:
        assert editor.member is not None
        editor.member.until(lambda page: str(page) == text)


def saves(editor: Editor) -> dict[str, Any]:
    """The answer to a save; its error, if there is one."""
    number, member = next(_numbers), editor.member
    assert member is not None
    member.do(lambda page: page.ask(ask="save", number=number))
    member.until(lambda page: any(each["number"] == number for each in controls(page, "answer")))
    (answer,) = [each for each in controls(member.page, "answer") if each["number"] == number]
    error: dict[str, Any] = answer.get("error", {})  # type: ignore[assignment]
    return error


def is_dirty(editor: Editor) -> bool:
    """As a page learns it that is told of a change of the file."""
    return bool(editor.visitor.rpc("refresh_document", editor.document["id"])["dirty"])


def said(editor: Editor, event: str) -> int:
    assert editor.member is not None
    return len(controls(editor.member.page, event))


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_says_so_and_costs_nothing(server: RunningServer, alice: Account, bob: Account) -> None:
    folder = alice.home / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    try:
        with joined(server, alice, bob, "full") as (one, other, file):
            types(one, "mine ")
            shows("mine " + TEXT, other)
            filler = folder / "filler"
            fill(filler)
            assert "No space left on device" in saves(other)["message"]
            assert file.read_bytes() == LINES
            assert said(one, "saved") == said(other, "saved") == 0
            filler.unlink()
            assert saves(one) == {}
            assert file.read_bytes() == b"mine " + LINES
            assert not is_dirty(one)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_what_sed_and_checkouts_write_is_merged_and_kept(server: RunningServer, alice: Account, bob: Account) -> None:
    with joined(server, alice, bob, "changed") as (one, other, file):
        types(one, "mine\n")
        subprocess.run(["sed", "-i", "s/two/2/", file], check=True, user=bob.name, group=bob.name, cwd="/")
        shows("mine\none\n2\nzero\nthree é\nfour\n", one, other)
        # As a checkout does it: another file in its place, at the moment of a save.
        file.unlink()
        file.write_bytes(LINES.replace(b"zero", b"0"))
        assert saves(other) == {}
        shows("mine\none\ntwo\n0\nthree é\nfour\n", one, other)
        assert file.read_bytes() == b"mine\r\n" + LINES.replace(b"zero", b"0")


def test_a_file_that_is_gone_is_told_and_comes_back_with_a_save(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    with joined(server, alice, bob, "gone") as (one, other, file):
        file.rename(file.with_name("elsewhere.R"))
        until(lambda: said(one, "file_changed") == said(other, "file_changed") == 1)
        assert is_dirty(one)
        assert is_dirty(other)
        types(other, "back ")
        shows("back " + TEXT, one)
        assert saves(one) == {}
        assert file.read_bytes() == b"back " + LINES
        assert file.with_name("elsewhere.R").read_bytes() == LINES


def test_a_file_that_was_locked_stays_as_it_is_and_is_said_to_be(
    server: RunningServer, alice: Account, bob: Account
) -> None:
    with joined(server, alice, bob, "locked") as (one, other, file):
        types(one, "mine ")
        shows("mine " + TEXT, other)
        host = one if one.server_of_text()[:21] in one.visitor.session_path else other
        assert host.account == alice
        subprocess.run(["setfacl", "-m", "u::r", file], check=True)
        assert "write-protected" in saves(one)["message"]
        assert file.read_bytes() == LINES
        subprocess.run(["setfacl", "-m", "u::rw", file], check=True)
        assert saves(one) == {}
        assert file.read_bytes() == b"mine " + LINES
