import bz2
import errno
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from rsession.workspace.image_file import NotWhole, put_in_place, reason

TEXT = b"RDX3\n" + bytes(range(256)) * 1000


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, bytes])
def test_a_whole_file_takes_the_place(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    aside, image = tmp_path / "aside", tmp_path / ".RData"
    image.write_text("old")
    packed = compress(TEXT)
    aside.write_bytes(packed)
    put_in_place(aside, image)
    assert image.read_bytes() == packed
    assert not aside.exists()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("missing", [1, 10])
def test_a_file_that_was_cut_off_does_not(tmp_path: Path, compress: Callable[[bytes], bytes], missing: int) -> None:
    aside, image = tmp_path / "aside", tmp_path / ".RData"
    image.write_text("old")
    aside.write_bytes(compress(TEXT)[:-missing])
    with pytest.raises(NotWhole):
        put_in_place(aside, image)
    assert image.read_text() == "old"
    assert not aside.exists()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_an_old_one_that_was_cut_off_is_set_aside(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    aside, image = tmp_path / "aside", tmp_path / ".RData"
    cut = compress(TEXT)[:-10]
    for _ in range(2):
        image.write_bytes(cut)
        aside.write_bytes(compress(TEXT))
        put_in_place(aside, image)
    assert image.read_bytes() == compress(TEXT)
    assert [path.read_bytes() for path in tmp_path.glob(".RData.damaged-*")] == [cut, cut]


@pytest.mark.parametrize("content", [b"", b"R", b"something else"])
def test_what_is_no_image_does_not_replace_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "aside").write_bytes(content)
    with pytest.raises(NotWhole):
        put_in_place(tmp_path / "aside", tmp_path / ".RData")
    assert not list(tmp_path.iterdir())


def test_reasons_are_sentences(tmp_path: Path) -> None:
    assert "not enough room" in reason(OSError(errno.EDQUOT, "Quota exceeded"), tmp_path)
    assert reason(OSError(errno.EACCES, "Permission denied"), tmp_path) == "Permission denied."
    assert "cut off" in reason(NotWhole(), tmp_path)
    assert reason(Exception("cannot open the connection"), tmp_path) == "cannot open the connection."
