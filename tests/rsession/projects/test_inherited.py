"""Whether a folder hands its rights on, and what a project's folder of presence is like then."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from rserver_core.session_id import new_session_id
from rsession.presence.folder import SentryFolder
from rsession.projects.inherited import hands_rights_on, is_inherited_nfs4, make_shared


def test_an_ordinary_folder_does_not(tmp_path: Path) -> None:
    assert not hands_rights_on(str(tmp_path))


@pytest.mark.parametrize("how", [["chmod", "g+s"], ["setfacl", "-d", "-m", "u:nobody:rwx"]])
def test_a_shared_folder_does_and_members_may_tell_there_that_they_are_in(tmp_path: Path, how: list[str]) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    subprocess.run([*how, str(folder)], check=True)
    assert hands_rights_on(str(folder))
    sentries = SentryFolder(str(folder), str(new_session_id(1000)))
    sentries.open()
    assert os.fstat(sentries.descriptor).st_mode & 0o777 == 0o770
    sentries.end()
    assert (folder / ".Rproj.user").stat().st_mode & 0o777 == 0o770


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        make_shared(tmp_path / "link", 0o777)
    assert target.stat().st_mode & 0o777 == 0o700


def nfs4_acl(*entries: tuple[int, bytes]) -> bytes:
    """The attribute as an NFSv4 client shows it: flags and names."""
    packed = (struct.pack(">4I", 0, flags, 0x1F, len(who)) + who + b"\0" * (-len(who) % 4) for flags, who in entries)
    return struct.pack(">I", len(entries)) + b"".join(packed)


def test_entries_of_nfs4() -> None:
    plain = [(0, b"OWNER@"), (0x40, b"GROUP@"), (0, b"EVERYONE@")]
    assert not is_inherited_nfs4(nfs4_acl(*plain))
    assert is_inherited_nfs4(nfs4_acl(*plain, (0x3, b"ada@example.org")))
    whole = nfs4_acl(*plain, (0x2, b"ada@example.org"))
    assert all(is_inherited_nfs4(whole[:length]) in (False, True) for length in range(len(whole)))
    assert not is_inherited_nfs4(b"")
    assert not is_inherited_nfs4(os.urandom(3))
