import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsession.services.line_endings import separate
from rsession.services.text_format import MAX_BYTES, NotText, TextFormat, decode

CONTENT = st.one_of(
    st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"")),
    st.lists(st.sampled_from([b"x", b"\n", b"\r\n", b"\r", "é".encode(), b"\xe9", b"\xef\xbb\xbf", "😀".encode()])).map(
        b"".join
    ),
)


@given(CONTENT)
def test_every_file_comes_back_byte_for_byte(content: bytes) -> None:
    text, text_format = decode(content)
    assert "\r" not in text
    assert text_format.encode(text) == content


@pytest.mark.parametrize(
    ("content", "encoding", "usual", "has_mark"),
    [
        (b"a\nb", "UTF-8", "\n", False),
        (b"a\r\nb\r\n", "UTF-8", "\r\n", False),
        (b"\xef\xbb\xbfa\n", "UTF-8", "\n", True),
        (b"caf\xe9\n", "ISO-8859-1", "\n", False),
        (b"\xef\xbb\xbf\xe9", "ISO-8859-1", "\n", False),
        (b"", "UTF-8", "\n", False),
    ],
)
def test_format_is_recognised(content: bytes, encoding: str, usual: str, has_mark: bool) -> None:
    _, text_format = decode(content)
    assert (text_format.encoding, text_format.endings.usual, text_format.has_mark) == (encoding, usual, has_mark)


@pytest.mark.parametrize("content", [b"a\0b", b"x" * (MAX_BYTES + 1), b"\xe9" * (MAX_BYTES // 2 + 1)])
def test_binary_and_large_content_is_refused(content: bytes) -> None:
    with pytest.raises(NotText, match=r"binary|larger than 5 MiB"):
        decode(content)


def test_text_that_its_encoding_lacks_turns_to_utf8() -> None:
    _, latin = decode(b"caf\xe9\r\n")
    assert latin.for_text("café\n") is latin
    assert latin.for_text("☃\n").encode("☃\n") == "☃\r\n".encode()


def test_mixed_endings_stay_where_they_are_around_an_edit() -> None:
    text, endings = separate("1\r\n2\n3\r4\r\n")
    assert text == "1\n2\n3\n4\n"
    edited = endings.after_splice("1\n", "2\n", "two\nand\n")
    assert edited.restore("1\ntwo\nand\n3\n4\n") == "1\r\ntwo\nand\n3\r4\r\n"


def test_the_encoding_that_a_project_wishes() -> None:
    text, plain = decode(b"x <- 1\n", "ISO-8859-15")
    assert plain.encode(text + "\u20ac") == b"x <- 1\n\xa4"
    assert plain.for_text("日本").encoding == "UTF-8"
    assert decode("é".encode(), "ISO-8859-15")[1].encoding == "UTF-8"
    assert decode(b"\xef\xbb\xbfx", "ISO-8859-15")[1] == TextFormat("UTF-8", True)
    text, euro = decode(b"\xa4", "ISO-8859-15")
    assert (text, euro.encode(text)) == ("\u20ac", b"\xa4")
    assert decode(b"\x81", "windows-1252")[1].encoding == "ISO-8859-1"
