"""A document of the editor as a value: text, where it belongs, how far it is saved."""

import re
from dataclasses import dataclass, field, replace

from rsession.services.disk_file import Stamp
from rsession.services.line_changes import line_changes
from rsession.services.text_format import MAX_BYTES, TextFormat
from rsession.services.utf16 import prefix, splice

_TYPES = {
    "rmd": "rmarkdown",
    "qmd": "quarto",
    "md": "markdown",
    "rnw": "sweave",
    "py": "python",
    **dict.fromkeys(("c", "h", "cc", "hpp"), "cpp"),
    "yml": "yaml",
}
_OWN_TYPES = {"r", "rd", "sql", "cpp", "js", "ts", "css", "html", "json", "yaml", "toml", "tex", "sh", "stan"}
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class TextRefused(ValueError):
    """A change that would leave a text the editor cannot keep."""


@dataclass(frozen=True)
class Document:
    """`saved` is the text of the file as last read or written, None when there is no file."""

    id: str
    order: int
    created: float
    """Seconds since 1970."""
    text: str = ""
    type: str = "r"
    path: str | None = None
    name: str = ""
    revision: int = 1
    format: TextFormat = field(default_factory=TextFormat)
    saved_digest: str | None = None
    """Digest of the text (UTF-8) that is in the file."""
    stamp: Stamp | None = None
    is_dirty: bool = False

    def spliced(self, start: int, end: int, insert: str) -> "Document":
        """With a piece replaced; offsets in UTF-16 units. Raises TextRefused."""
        check_text(insert)
        if "\r" in insert:
            raise TextRefused(r"line breaks in inserted text must be \n")
        try:
            text = splice(self.text, start, end, insert)
            before = prefix(self.text, start)
        except ValueError as error:
            raise TextRefused(str(error)) from None
        removed = self.text[len(before) : len(self.text) - (len(text) - len(before) - len(insert))]
        if self.format.endings.each and "\n" in removed:
            return self._relined(text, len(before), removed, insert)
        return self._changed(text, before, removed, insert)

    def with_text(self, text: str) -> "Document":
        """With another text; the unchanged lines at both ends keep their line endings. Raises TextRefused."""
        text = check_text(text).replace("\r\n", "\n").replace("\r", "\n")
        if text == self.text:
            return replace(self, revision=self.revision + 1)
        start = _common_length(self.text, text)
        end = _common_length(self.text[start:][::-1], text[start:][::-1])
        removed = self.text[start : len(self.text) - end]
        return self._changed(text, self.text[:start], removed, text[start : len(text) - end])

    def with_lines_of(self, text: str) -> "Document":
        """With another text; every line that both have keeps its line ending. Raises TextRefused."""
        return self._relined(check_text(text), 0, self.text, text)

    def _relined(self, text: str, at: int, removed: str, inserted: str) -> "Document":
        """As `_changed`, for a piece from character `at` on that may hold several changes, and lines between them."""
        endings = self.format.endings
        for begin, end, insert in reversed(line_changes(removed, inserted)):
            endings = endings.after_splice(self.text[: at + begin], removed[begin:end], insert)
        new_format = replace(self.format, endings=endings)
        return replace(self, text=check_text(text), format=new_format, revision=self.revision + 1, is_dirty=True)

    def _changed(self, text: str, before: str, removed: str, inserted: str) -> "Document":
        check_text(text)
        endings = self.format.endings.after_splice(before, removed, inserted)
        new_format = replace(self.format, endings=endings)
        return replace(self, text=text, format=new_format, revision=self.revision + 1, is_dirty=True)

    def as_json(self, with_contents: bool = True) -> dict[str, object]:
        """The document as the protocol describes it."""
        fields: dict[str, object] = {
            "id": self.id,
            "path": self.path,
            "name": self.name,
            "type": self.type,
            "revision": self.revision,
            "dirty": self.is_dirty,
            "encoding": self.format.encoding,
            "line_ending": self.format.endings.usual,
            "created": self.created,
            "order": self.order,
        }
        return fields | {"contents": self.text} if with_contents else fields


def check_text(text: str) -> str:
    """The text; raises TextRefused when it is too long or no file could hold it."""
    if len(text) > MAX_BYTES:
        raise TextRefused(f"a document may have at most {MAX_BYTES // 1024**2} MiB")
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise TextRefused("the text has half a character (an unpaired surrogate)") from None
    if size > MAX_BYTES:
        raise TextRefused(f"a document may have at most {MAX_BYTES // 1024**2} MiB")
    if "\0" in text:
        raise TextRefused("the text has a NUL character")
    return text


def type_of(name: str) -> str:
    """The type that goes with a file's name."""
    if name == ".Rprofile":
        return "r"
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return _TYPES.get(ending, ending if ending in _OWN_TYPES else "text")


def is_type(name: str) -> bool:
    """Whether `name` may be a document's type."""
    return _TYPE_NAME.fullmatch(name) is not None


def _common_length(a: str, b: str) -> int:
    """Length of the longest common beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
