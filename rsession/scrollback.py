"""The last screenfuls of the console, for a page that opens later."""

from collections import deque

SCROLLBACK_LINES = 1000
SCROLLBACK_CHARACTERS = 1 << 20


class Scrollback:
    """Pieces of text with their types, bounded by lines and characters."""

    def __init__(self, lines: int = SCROLLBACK_LINES, characters: int = SCROLLBACK_CHARACTERS) -> None:
        self._max_lines = lines
        self._max_characters = characters
        self._pieces: deque[tuple[str, str, int]] = deque()
        self._lines = 0
        self._characters = 0
        self.earlier = 0
        """How many of the first pieces an earlier process wrote."""

    def seal(self) -> None:
        """All pieces so far are of an earlier process: nothing is added to them."""
        self.earlier = len(self._pieces)

    @property
    def is_at_line_start(self) -> bool:
        """Nothing stands in the last line."""
        return not self._pieces or self._pieces[-1][1].endswith("\n")

    def add(self, type: str, text: str) -> None:  # noqa: A002 - the protocol's own word
        """Add text of type `input`, `output`, `error` or `note` below all other."""
        if len(self._pieces) > self.earlier and self._pieces[-1][0] == type and len(self._pieces[-1][1]) < 4096:
            last = self._pieces.pop()
            self._lines -= last[2]
            self._characters -= len(last[1])
            text = last[1] + text
        text = self._end_of(text)
        self._pieces.append((type, text, text.count("\n")))
        self._lines += self._pieces[-1][2]
        self._characters += len(text)
        self._forget()

    def actions(self) -> list[dict[str, str]]:
        """Oldest first, as in the answer of client_init."""
        return [{"type": kind, "text": text} for kind, text, _ in self._pieces]

    def _end_of(self, text: str) -> str:
        text = text[-self._max_characters :]
        if text.count("\n") <= self._max_lines:
            return text
        return "".join(text.splitlines(keepends=True)[-self._max_lines :])

    def _forget(self) -> None:
        while self._lines > self._max_lines or self._characters > self._max_characters:
            kind, text, lines = self._pieces.popleft()
            self._lines -= lines
            self._characters -= len(text)
            was_earlier = self.earlier > 0
            self.earlier -= was_earlier
            surplus = self._max_lines - self._lines
            if surplus > 0 and lines > surplus and self._characters < self._max_characters:
                kept = "".join(text.splitlines(keepends=True)[-surplus:])[self._characters - self._max_characters :]
                self._pieces.appendleft((kind, kept, kept.count("\n")))
                self.earlier += was_earlier
                self._lines += kept.count("\n")
                self._characters += len(kept)
