from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsession.services.document import Document, TextRefused, type_of
from rsession.services.text_format import MAX_BYTES, decode
from rsession.services.utf16 import unit_length

LINES = st.lists(st.sampled_from(["x", "", "é", "😀"]), max_size=8)


def opened(content: bytes) -> Document:
    text, text_format = decode(content)
    return replace(Document("0123abcd", 1, 0.0), text=text, format=text_format)


def written(document: Document) -> bytes:
    return document.format.encode(document.text)


def test_a_change_raises_the_revision_and_is_unsaved() -> None:
    document = opened(b"ab").spliced(1, 1, "😀")
    assert (document.text, document.revision, document.is_dirty) == ("a😀b", 2, True)


@given(LINES, LINES, st.lists(st.sampled_from(["\n", "\r\n"]), min_size=8, max_size=8), st.data())
def test_lines_outside_of_a_change_keep_their_bytes(
    lines: list[str], new: list[str], endings: list[str], data: st.DataObject
) -> None:
    pieces = [line + ending for line, ending in zip(lines, endings, strict=False)]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(pieces))] * 2)))
    document = opened("".join(pieces).encode())
    plain = [line + "\n" for line in lines]
    start, end = unit_length("".join(plain[:first])), unit_length("".join(plain[:last]))
    inserted = "".join(line + "\n" for line in new)
    changed = document.spliced(start, end, inserted)
    content = written(changed).decode()
    before, after = "".join(pieces[:first]), "".join(pieces[last:])
    assert content.startswith(before)
    assert content.endswith(after)
    assert content[len(before) : len(content) - len(after)].replace("\r\n", "\n") == inserted


@given(st.binary(max_size=80).map(lambda data: data.replace(b"\0", b"")), st.text(alphabet="ab\n", max_size=20))
def test_a_whole_text_set_and_set_back_is_the_file_again_but_for_endings(content: bytes, other: str) -> None:
    document = opened(content)
    back = document.with_text(other).with_text(document.text)
    assert back.text == document.text
    assert written(document.with_text(document.text)) == content


def test_setting_a_text_keeps_the_endings_of_lines_that_stay() -> None:
    assert written(opened(b"1\r\n2\n3\r\n").with_text("1\nzwei\n3\n")) == b"1\r\nzwei\n3\r\n"


@pytest.mark.parametrize("insert", ["a\r\nb", "\0", "\ud83d", "x" * (MAX_BYTES + 1)])
def test_text_that_no_file_could_hold_is_refused(insert: str) -> None:
    with pytest.raises(TextRefused):
        opened(b"").spliced(0, 0, insert)


def test_growing_beyond_the_limit_is_refused() -> None:
    document = opened(b"x" * (MAX_BYTES - 1))
    with pytest.raises(TextRefused, match="5 MiB"):
        document.spliced(0, 0, "é")


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        *[("a.R", "r"), ("a.r", "r"), (".Rprofile", "r"), ("a.Rmd", "rmarkdown"), ("x.hpp", "cpp"), ("x.json", "json")],
        *[("Makefile", "text"), ("x.unknown", "text"), ("r", "text"), (".bashrc", "text")],
    ],
)
def test_type_follows_the_name(name: str, type_: str) -> None:
    assert type_of(name) == type_
