"""Code that is given to R as a whole, and what the console shows of it."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rsession.segment_kind import BatchEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from rsession.console import BatchLines, Console


@dataclass(eq=False)
class Batch:
    """One piece of code. on_text: called with the kind and text of what it writes; on_end: how it ended."""

    lines: "BatchLines"
    on_text: "Callable[[str, str], None]"
    on_end: "Callable[[BatchEnd], None]"
    has_begun: bool = field(default=False, init=False)


class Batches:
    """Pieces of code in the order in which R takes them, among what people type."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._waiting: deque[Batch] = deque()
        console.on_text.append(self._read_text)

    def run(
        self,
        code: str,
        console_id: str,
        on_text: "Callable[[str, str], None]",
        on_end: "Callable[[BatchEnd], None]",
    ) -> None:
        """Give code to R when it has done with what it was given before; its first error is its end.

        Nobody answers what it asks. Raises RpcError when it cannot be R's input or too much waits for R.
        """
        self._waiting.append(Batch(self._console.input_batch(code, console_id), on_text, on_end))

    def read_input(self, line: int) -> None:
        """R took the line of that number."""
        if self._waiting and line >= self._waiting[0].lines.first:
            self._waiting[0].has_begun = True

    def read_end(self, number: int, how: BatchEnd) -> None:
        """R has done with the batch of that number."""
        while self._waiting and self._waiting[0].lines.number <= number:
            batch = self._waiting.popleft()
            self._console.end_batch(batch.lines)
            batch.on_end(how if batch.lines.number == number else BatchEnd.DROPPED)

    def _read_text(self, kind: str, text: str) -> None:
        if kind in {"output", "error"} and self._waiting and self._waiting[0].has_begun:
            self._waiting[0].on_text(kind, text)
