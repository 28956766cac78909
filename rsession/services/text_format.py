"""From the bytes of a file to text and back, without losing a byte."""

from dataclasses import dataclass, field
from typing import Literal

from rsession.services.line_endings import LineEndings, separate

Encoding = Literal["UTF-8", "ISO-8859-1"]
MAX_BYTES = 5 * 1024 * 1024
_MARK = b"\xef\xbb\xbf"


class NotText(ValueError):
    """The bytes are no text that the editor could show and write back."""


@dataclass(frozen=True)
class TextFormat:
    """What the text does not show of its file: encoding, byte order mark, line endings."""

    encoding: Encoding = "UTF-8"
    has_mark: bool = False
    endings: LineEndings = field(default_factory=LineEndings)

    def for_text(self, text: str) -> "TextFormat":
        """This format, or UTF-8 when the text has characters that its encoding lacks."""
        if self.encoding == "UTF-8" or all(ord(character) < 256 for character in set(text)):
            return self
        return TextFormat("UTF-8", False, self.endings)

    def encode(self, text: str) -> bytes:
        """The bytes of the file; the format must fit the text."""
        body = self.endings.restore(text).encode(self.encoding)
        return _MARK + body if self.has_mark else body


def decode(content: bytes) -> tuple[str, TextFormat]:
    r"""The text, lines separated by "\n", and its format; raises NotText for binary or over-long content."""
    _check_size(content)
    if b"\0" in content:
        raise NotText("the file is binary, not text")
    has_mark = content.startswith(_MARK)
    body = content.removeprefix(_MARK)
    encoding: Encoding = "UTF-8"
    try:
        raw = body.decode("utf-8")
    except UnicodeDecodeError:
        encoding, has_mark = "ISO-8859-1", False
        raw = content.decode("iso-8859-1")
        _check_size(raw.encode())
    text, endings = separate(raw)
    return text, TextFormat(encoding, has_mark, endings)


def _check_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise NotText(f"the file is larger than {MAX_BYTES // 1024**2} MiB")
