"""From the bytes of a file to text and back, without losing a byte."""

from dataclasses import dataclass, field

from rsession.services.line_endings import LineEndings, separate

MAX_BYTES = 5 * 1024 * 1024
_MARK = b"\xef\xbb\xbf"


class NotText(ValueError):
    """The bytes are no text that the editor could show and write back."""


@dataclass(frozen=True)
class TextFormat:
    """What the text does not show of its file: encoding, byte order mark, line endings."""

    encoding: str = "UTF-8"
    has_mark: bool = False
    endings: LineEndings = field(default_factory=LineEndings)

    def for_text(self, text: str) -> "TextFormat":
        """This format, or UTF-8 when the text has characters that its encoding lacks."""
        try:
            if self.encoding != "UTF-8":
                text.encode(self.encoding)
        except UnicodeEncodeError:
            return TextFormat("UTF-8", False, self.endings)
        return self

    def encode(self, text: str) -> bytes:
        """The bytes of the file; the format must fit the text."""
        body = self.endings.restore(text).encode(self.encoding)
        return _MARK + body if self.has_mark else body


def decode(content: bytes, assumed: str = "UTF-8") -> tuple[str, TextFormat]:
    r"""The text, lines separated by "\n", and its format; raises NotText for binary or over-long content.

    assumed: the encoding, in which ASCII is ASCII, of a file that has nothing but ASCII or is no UTF-8.
    """
    _check_size(content)
    if b"\0" in content:
        raise NotText("the file is binary, not text")
    has_mark = content.startswith(_MARK)
    body = content.removeprefix(_MARK)
    try:
        raw = body.decode("utf-8")
        encoding = assumed if body.isascii() and not has_mark else "UTF-8"
    except UnicodeDecodeError:
        has_mark = False
        raw, encoding = _decode_other(content, assumed)
        _check_size(raw.encode())
    text, endings = separate(raw)
    return text, TextFormat(encoding, has_mark, endings)


def _decode_other(content: bytes, assumed: str) -> tuple[str, str]:
    try:
        # What would not become the same bytes again must not be opened as this.
        if assumed != "UTF-8" and content.decode(assumed).encode(assumed) == content:
            return content.decode(assumed), assumed
    except UnicodeError:
        pass
    return content.decode("iso-8859-1"), "ISO-8859-1"


def _check_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise NotText(f"the file is larger than {MAX_BYTES // 1024**2} MiB")
