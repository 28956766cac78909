"""Paths of projects as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.project_path import BadPath, needs_home, project_folder, project_name


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("/srv/data/", "/srv/data"),
        ("//srv/./data/../x", "/srv/x"),
        ("~/thesis", "/home/alice/thesis"),
        (" ~ ", "/home/alice"),
        ("/a/b/b.Rproj", "/a/b"),
        ("/日本/<b>\"'", "/日本/<b>\"'"),
        ("/~/x", "/~/x"),
    ],
)
def test_folders(text: str, folder: str) -> None:
    assert project_folder(text, "/home/alice/") == folder


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("relative", "begin with"),
        ("~bob/x", "begin with"),
        ("/a\nb", "control"),
        ("/a\0", "control"),
        ("/\ud800", "control"),
        ("/" + "x" * 3073, "3072"),
        ("/" + "é" * 1600, "3072"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(BadPath, match=why):
        project_folder(text, "/home/alice")


@given(st.text(max_size=60))
def test_whatever_is_typed_ends_in_an_absolute_path_or_is_refused(text: str) -> None:
    try:
        folder = project_folder(text, "/home/alice")
    except BadPath:
        return
    assert folder.startswith("/")
    assert project_folder(folder, "") == folder or folder.endswith(".Rproj")
    assert not needs_home(folder)


def test_names() -> None:
    assert [project_name(path) for path in ("/a/b", "/", "")] == ["b", "/", ""]
