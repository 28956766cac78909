"""The console: lines that wait for R, what R writes, where R waits."""

import codecs
import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from rsession.error_code import ErrorCode, RpcError
from rsession.event_log import EventLog
from rsession.scrollback import Scrollback
from rsession.working_directory import working_directory

MAX_LINES = 100_000
MAX_BYTES = 16 << 20

_BROWSER_PROMPT = re.compile(r"Browse\[\d+\]> $")


class BatchLines(NamedTuple):
    """Number of the batch, numbers of its first and last line."""

    number: int
    first: int
    last: int


class InputQueue(Protocol):
    """The part of the shim that takes lines."""

    def submit(self, line: bytes, /) -> int: ...
    def submit_batch(self, lines: list[bytes], /) -> tuple[int, int]: ...
    def clear_input(self) -> None: ...
    def input_backlog(self) -> tuple[int, int]: ...


class Console:
    """State of the console; every `read_…` takes one message of R and appends events to the log."""

    def __init__(self, queue: InputQueue, log: EventLog, interrupt_r: Callable[[], None]) -> None:
        self._queue = queue
        self._log = log
        self._interrupt_r = interrupt_r
        self._ids: deque[tuple[int, str]] = deque()
        """Line numbers with the console_id of who typed them."""
        self._decoders = {False: _decoder(), True: _decoder()}
        self._scrollback = Scrollback()
        self.prompt: str | None = None
        self.is_history = False
        self.is_busy = True
        self.on_input: list[Callable[[str, bool], None]] = []
        self.on_text: list[Callable[[str, str], None]] = []
        """Called with kind and text of all that the console shows."""
        self.on_question: list[Callable[[str], None]] = []
        """Called with each prompt that is not the one for the next statement."""

    def input(self, text: str, console_id: str) -> None:
        """Queue text line by line; raises RpcError PARAM_INVALID when it cannot be R's input or the queue is full."""
        for line in self._checked_lines(text):
            self._ids.append((self._queue.submit(line), console_id))

    def input_batch(self, text: str, console_id: str) -> BatchLines:
        """Queue text as lines that belong together: the first error takes those behind it back. RpcError as `input`."""
        lines = self._checked_lines(text)
        number, last = self._queue.submit_batch(lines)
        first = last - len(lines) + 1
        self._ids.extend((line, console_id) for line in range(first, last + 1))
        return BatchLines(number, first, last)

    def _checked_lines(self, text: str) -> list[bytes]:
        lines = _split(text)
        queued, queued_bytes = self._queue.input_backlog()
        if queued + len(lines) > MAX_LINES or queued_bytes + sum(map(len, lines)) > MAX_BYTES:
            raise RpcError(ErrorCode.PARAM_INVALID, "text: too many lines wait for R")
        return lines

    def end_batch(self, lines: BatchLines) -> None:
        """Those of its lines that R has not taken will not be given to it."""
        self._take_id(lines.last)

    def interrupt(self) -> None:
        """Forget waiting lines, then stop what R does; at a browser prompt leave the browser."""
        nothing_given = not self._ids
        self.forget_input()
        if nothing_given and self.prompt is not None and _BROWSER_PROMPT.search(self.prompt):
            self.input("Q", "")
        else:
            self._interrupt_r()

    def forget_input(self) -> None:
        """Lines that wait will not be given to R."""
        self._queue.clear_input()
        self._ids.clear()

    def read_text(self, data: bytes, is_error: bool) -> None:
        """Output; a character may be cut at the edges."""
        text = self._decoders[is_error].decode(data)
        if text:
            self._log.append_text("console_write_error" if is_error else "console_write_output", text)
            self._add("error" if is_error else "output", text)

    def read_prompt(self, prompt: str, is_history: bool) -> None:
        """R waits for a line."""
        self.prompt, self.is_history = prompt, is_history
        self._set_busy(False)
        where = working_directory()
        self._log.append("console_prompt", {"prompt": prompt, "history": is_history, "cwd": where})
        if not is_history:
            for callback in self.on_question:
                callback(prompt)

    def read_input(self, number: int, is_history: bool, prompt: str, line: str) -> None:
        """R took a line (with its newline) at a prompt."""
        self.prompt = None
        text = prompt + line
        self._log.append("console_write_input", {"text": text, "console_id": self._take_id(number)})
        self._add("input", text)
        self._set_busy(True)
        for callback in self.on_input:
            callback(line.removesuffix("\n"), is_history)

    def note(self, text: str) -> None:
        """A line of the session itself."""
        line = f"{'' if self._scrollback.is_at_line_start else chr(10)}{text}\n"
        self._log.append("console_write_note", {"text": line})
        self._add("note", line)

    def actions(self) -> list[dict[str, str]]:
        """What the console shows, oldest first."""
        return self._scrollback.actions()

    def show_again(self, actions: list[tuple[str, str]]) -> None:
        """What the console of an earlier process showed stands above what this one writes."""
        for kind, text in actions:
            self._scrollback.add(kind, text)
        self._scrollback.seal()

    def state(self) -> dict[str, object]:
        """The field `console` of client_init's answer."""
        return {
            "actions": self._scrollback.actions(),
            "prompt": self.prompt,
            "history": self.is_history,
            "busy": self.is_busy,
            "earlier": self._scrollback.earlier,
        }

    @property
    def is_idle_at_top(self) -> bool:
        """R waits at the prompt of its top level and no line is queued."""
        return self.prompt is not None and self.is_history and not self._ids and not self.prompt.startswith("Browse[")

    def _add(self, kind: str, text: str) -> None:
        self._scrollback.add(kind, text)
        for callback in self.on_text:
            callback(kind, text)

    def _take_id(self, number: int) -> str:
        console_id = ""
        while self._ids and self._ids[0][0] <= number:
            console_id = self._ids.popleft()[1]
        return console_id

    def _set_busy(self, is_busy: bool) -> None:
        if is_busy != self.is_busy:
            self.is_busy = is_busy
            self._log.append("busy", {"value": is_busy})


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


def _split(text: str) -> list[bytes]:
    """Lines with their newlines; text without any newline, also empty text, is one line."""
    if "\0" in text:
        raise RpcError(ErrorCode.PARAM_INVALID, "text: R cannot read NUL characters")
    try:
        data = text.replace("\r\n", "\n").encode()
    except UnicodeEncodeError:
        raise RpcError(ErrorCode.PARAM_INVALID, "text: half a surrogate pair is no character") from None
    return [line + b"\n" for line in data.removesuffix(b"\n").split(b"\n")]
