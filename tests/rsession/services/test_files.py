import os
from pathlib import Path

import pytest

from rsession.error_code import RpcError
from rsession.services.files import list_folder
from rsession.services.user_path import absolute_path


def names(folder: Path) -> list[str]:
    entries = list_folder(folder)["entries"]
    assert isinstance(entries, list)
    return [entry["name"] for entry in entries]


def test_kinds_sizes_and_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "b.R").write_bytes(b"12345")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "to_folder").symlink_to(".hidden")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    os.utime(tmp_path / "b.R", (1, 1.5))
    listing = list_folder(tmp_path)
    entries = listing["entries"]
    assert isinstance(entries, list)
    kinds = {entry["name"]: entry["kind"] for entry in entries}
    assert kinds == {".hidden": "dir", "b.R": "file", "broken": "other", "pipe": "other", "to_folder": "dir"}
    assert [(e["size"], e["modified"]) for e in entries if e["name"] == "b.R"] == [(5, 1.5)]
    assert (listing["path"], listing["parent"], listing["truncated"]) == (str(tmp_path), str(tmp_path.parent), False)


def test_hostile_names_are_listed(tmp_path: Path) -> None:
    hostile = ["<script>", "a\nb", "\x1b[31m", "-rf", "😀", '"', "\\", " "]
    for name in hostile:
        (tmp_path / name).touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    assert sorted(names(tmp_path)) == sorted([*hostile, "\ufffd"])


def test_a_large_folder_is_cut(tmp_path: Path) -> None:
    for number in range(5001):
        (tmp_path / f"{number:05}").touch()
    listing = list_folder(tmp_path)
    assert listing["truncated"] is True
    assert names(tmp_path) == [f"{number:05}" for number in range(5000)]


def test_the_root_has_no_parent() -> None:
    assert list_folder(Path("/"))["parent"] is None


@pytest.mark.parametrize("path", ["/nothing/here", "/etc/passwd"])
def test_what_is_no_folder_is_refused_with_the_reason(path: str) -> None:
    with pytest.raises(RpcError, match=r"No such file|Not a directory"):
        list_folder(Path(path))


@pytest.mark.parametrize(
    ("text", "path"), [("~", "/home/u"), ("~/a/../b", "/home/u/b"), ("/a//b/./c", "/a/b/c"), ("/..", "/")]
)
def test_paths_are_made_absolute(text: str, path: str) -> None:
    assert absolute_path(text, "/home/u") == Path(path)


@pytest.mark.parametrize("text", ["", "a\0", "/" + "x" * 4096, "/\ud83d"])
def test_impossible_paths_are_refused(text: str) -> None:
    with pytest.raises(RpcError, match="path"):
        absolute_path(text, "/")
