"""What the console showed, from one process of a session to the next, also when the process is killed.

All of it is in one file, written with each snapshot. It names a second one, to which everything is appended that the
console shows after that.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeGuard

from rsession.services.disk_file import write_private

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from rsession.services.background import Background

NAME = "console.json"
_LIMIT = 8 << 20
_REST = re.compile(r"console-\d+\.rest", re.ASCII)
_KINDS = ("input", "output", "error", "note")
_MOST_PENDING = 1 << 20
"""Characters: the console shows no more of what comes faster than it is written."""
_MOST_APPENDED = 4 << 20
_SMALL, _SOON, _LATER = 16 << 10, 0.02, 0.25

Piece = tuple[str, str]
"""Kind and text."""


class ShownText(Protocol):
    """The part of the console that is kept."""

    def actions(self) -> list[dict[str, str]]: ...


class ConsoleFile:
    """Nothing is written before `begin`."""

    def __init__(self, folder: str, console: ShownText, clock: "IReactorTime", background: "Background") -> None:
        self._folder = folder
        self._console = console
        self._clock = clock
        self._background = background
        self._number = 0
        self._pending: list[Piece] = []
        self._size = self._appended = 0
        self._is_writing = self._is_open = False

    def read(self) -> list[Piece]:
        """What an earlier process showed, oldest first; nothing when there is no file or it is none of ours."""
        pieces: list[Piece] = []
        with suppress(OSError, ValueError, TypeError, KeyError), open(f"{self._folder}/{NAME}", "rb") as file:
            content = json.loads(file.read(_LIMIT))
            pieces = _pieces((action["type"], action["text"]) for action in content["actions"])
            self._number = int(content.get("rest", 0))
        return pieces + _read_rest(self._rest(self._number))

    def begin(self) -> None:
        """The folder is there: what comes from now on is written."""
        self._is_open = True
        self._remove_others()
        # The last line of a process that was killed may lack its end.
        self._pending.append(("", ""))

    def end(self) -> None:
        """Write nothing more."""
        self._is_open = False

    def add(self, kind: str, text: str) -> None:
        """The console shows this below everything else."""
        if not self._is_open:
            return
        self._pending.append((kind, text))
        self._size += len(text)
        while self._size > _MOST_PENDING and len(self._pending) > 1:
            self._size -= len(self._pending.pop(0)[1])
        self._append()

    def write_all(self) -> None:
        """Aside, fsync, rename. Raises OSError."""
        number = self._number + 1
        content = {"actions": self._console.actions(), "rest": number}
        write_private(Path(self._folder, NAME), json.dumps(content).encode())
        before, self._number = self._number, number
        self._pending, self._size, self._appended = [], 0, 0
        with suppress(OSError):
            os.unlink(self._rest(before))

    def _remove_others(self) -> None:
        """A file may have been written once more when it was not wanted any longer."""
        own = os.path.basename(self._rest(self._number))
        with suppress(OSError):
            for name in os.listdir(self._folder):
                if _REST.fullmatch(name) and name != own:
                    os.unlink(f"{self._folder}/{name}")

    def _append(self) -> None:
        if self._is_writing or not self._is_open or not self._pending:
            return
        if self._appended > _MOST_APPENDED:
            with suppress(OSError):
                self.write_all()
                return
        pieces, self._pending = self._pending, []
        pause = _SOON if self._size < _SMALL else _LATER
        self._appended += self._size
        self._size, self._is_writing = 0, True
        written: Deferred[None] = self._background(_append_to, self._rest(self._number), pieces)
        # A console that cannot be kept is no reason to disturb anybody: the next snapshot says what is wrong.
        written.addBoth(lambda _: self._clock.callLater(pause, self._append_more))

    def _append_more(self) -> None:
        self._is_writing = False
        self._append()

    def _rest(self, number: int) -> str:
        return f"{self._folder}/console-{number}.rest"


def _append_to(path: str, pieces: Sequence[Piece]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write("".join(f"{json.dumps(piece) if piece[0] else ''}\n" for piece in pieces).encode())


def _read_rest(path: str) -> list[Piece]:
    pieces: list[Piece] = []
    with suppress(OSError), open(path, "rb") as file:
        for line in file.read(_LIMIT).split(b"\n"):
            with suppress(ValueError):
                pieces += _pieces([json.loads(line)])
    return pieces


def _pieces(found: Iterable[object]) -> list[Piece]:
    return [(each[0], each[1]) for each in found if _is_piece(each)]


def _is_piece(each: object) -> TypeGuard[Piece]:
    return isinstance(each, list | tuple) and len(each) == 2 and each[0] in _KINDS and isinstance(each[1], str)
