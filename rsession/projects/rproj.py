"""The text of a `.Rproj` file: fields read and changed, everything else kept byte for byte. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_BYTES = 1 << 20
MAX_VALUE = 4096
_MARK = b"\xef\xbb\xbf"
_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9_.-]{0,63})[ \t]*:[ \t]*(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u2028\u2029\ud800-\udfff]")

DEFAULT = """\
Version: 1.0

RestoreWorkspace: Default
SaveWorkspace: Default
AlwaysSaveHistory: Default

EnableCodeIndexing: Yes
UseSpacesForTab: Yes
NumSpacesForTab: 2
Encoding: UTF-8

RnwWeave: Sweave
LaTeX: pdfLaTeX
"""


class BadField(ValueError):
    """A field cannot be written; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file as it is on the disk: lines `Name: value`; lines that begin with a blank go on with the one before."""

    content: bytes = DEFAULT.encode()

    @property
    def fields(self) -> dict[str, str]:
        """Every field; of those that are there twice the first. What is no UTF-8 has a mark in its place."""
        found: dict[str, str] = {}
        for name, first, last in self._places():
            found.setdefault(name, self._value(first, last))
        return found

    def with_fields(self, changes: Mapping[str, str | None]) -> "ProjectFile":
        """With other values, None for fields that shall go. What keeps its value keeps its bytes. BadField."""
        changed = self
        for name, value in changes.items():
            changed = changed._with(name, value)
        if len(changed.content) > MAX_BYTES:
            raise BadField(f"the file would be larger than {MAX_BYTES // 1024} KiB")
        return changed

    def _with(self, name: str, value: str | None) -> "ProjectFile":
        if not _NAME.fullmatch(name):
            raise BadField(f"{name[:64]!r} is no name of a field")
        if value is not None:
            _check(name, value)
        if value == self.fields.get(name):
            return self
        lines = self._lines()
        place = next(((first, last) for known, first, last in self._places() if known == name), None)
        new = [] if value is None else [f"{name}: {value.strip()}".rstrip().encode() + self._line_end]
        if place is not None:
            lines[place[0] : place[1]] = self._in_place(new, place, lines)
        else:
            if lines and lines[-1] != _MARK and not lines[-1].endswith((b"\n", b"\r")):
                lines[-1] += self._line_end
            lines += new
        return ProjectFile(b"".join(lines))

    def _in_place(self, new: list[bytes], place: tuple[int, int], lines: list[bytes]) -> list[bytes]:
        """A byte order mark in front, and the line end that the last line of the file may lack, stay as they were."""
        mark = _MARK if place[0] == 0 and lines[0].startswith(_MARK) else b""
        if not new:
            return [mark] if mark else []
        has_end = lines[place[1] - 1].endswith((b"\n", b"\r"))
        return [mark + (new[0] if has_end else new[0].removesuffix(self._line_end))]

    def _lines(self) -> list[bytes]:
        return self.content.splitlines(keepends=True)

    def _places(self) -> list[tuple[str, int, int]]:
        """Name, first line and the line behind the last one of each field, in order."""
        places: list[tuple[str, int, int]] = []
        follows = False
        for number, line in enumerate(self._lines()):
            match = _FIELD.match(line.removeprefix(_MARK) if number == 0 else line)
            if match is not None:
                places.append((match[1].decode(), number, number + 1))
                follows = True
            elif follows and line[:1] in (b" ", b"\t") and line.strip():
                places[-1] = (places[-1][0], places[-1][1], number + 1)
            else:
                follows = False
        return places

    def _value(self, first: int, last: int) -> str:
        lines = self._lines()
        head = _FIELD.match(lines[first].removeprefix(_MARK))
        parts = [head[2] if head else b"", *lines[first + 1 : last]]
        return "\n".join(part.decode("utf-8", "replace").strip() for part in parts)

    @property
    def _line_end(self) -> bytes:
        return b"\r\n" if self.content.count(b"\r\n") * 2 > self.content.count(b"\n") else b"\n"


def _check(name: str, value: str) -> None:
    if len(value) > MAX_VALUE:
        raise BadField(f"{name} is longer than {MAX_VALUE} characters")
    if _CONTROL.search(value):
        raise BadField(f"{name} holds control characters or line breaks")
