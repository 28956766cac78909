"""R as a library in the main thread; every function but `run` is for the reactor's thread."""

from collections.abc import Callable
from typing import NoReturn

def open() -> tuple[int, int, int, int]:  # noqa: A001 - a module's open, like os.open
    """Replace the standard descriptors.

    The answer: event fd that R rings, children's stdout, children's stderr, original stderr.
    """

def preload(library: bytes, /) -> bool:
    """Load libR in any thread, without starting it, so that `run` finds it loaded; False when that fails."""

def keep_own_locale() -> None:
    """Every thread but R's calls this first: its system errors must not read the environment that R changes."""

def run(library: bytes, argv: list[bytes], sources: list[bytes], listener: int, /) -> NoReturn:
    """Load libR and run it in this thread until the process ends; raises OSError when the library cannot be loaded."""

def run_template(
    library: bytes,
    argv: list[bytes],
    sources: list[bytes],
    serve: Callable[[], tuple[list[bytes], int, int]],
    begin: Callable[[], None],
    give_up: Callable[[str], NoReturn],
    /,
) -> NoReturn:
    """Start R in this thread as far as no user matters, then call `serve`, which forks.

    Where `serve` comes back, with R's command line, the listening descriptor and the one from which R reads its site
    profile, R becomes the session's: the process must be the user's and its environment the session's by then. Before
    R reads a profile `begin` is called, which opens; or `give_up`, with a reason why R cannot become that session.
    """

def rehearse() -> None:
    """While `serve` is called, in the process of a session that must wait: write to the pages that R writes to next."""

def submit(line: bytes, /) -> int:
    """Queue a line that ends in a newline; its number, counted from 1."""

def submit_batch(lines: list[bytes], /) -> tuple[int, int]:
    """Queue lines that belong together: their number as a batch, from 1 on, and the number of the last one.

    The first error among them takes the others out of the queue. When R has done with them there is a segment
    BATCH_END.
    """

def clear_input() -> None:
    """Forget all queued lines."""

def input_backlog() -> tuple[int, int]:
    """Queued lines and their bytes."""

def post_job(number: int, call: list[bytes], /) -> None:
    """Queue a call: name of the function, then its arguments in UTF-8."""

def cancel_job(number: int, /) -> bool:
    """Take a job out of the queue; False when it began already."""

def pending() -> tuple[int, int]:
    """Silence the event fd; bytes of text in the queue, and whether anything in it is urgent."""

def drain(limit: int, /) -> tuple[list[tuple[int, int, bytes, bytes]], int]:
    """First segments (kind, number, first, second) of about `limit` bytes; not 0 when more are there."""

def take_child_output() -> bool:
    """Move what children wrote to the queue; False when it is full."""

def wake() -> None:
    """Make R look at its signals and queues."""

def interrupt_is_pending() -> bool:
    """R has not heeded an interrupt yet, or waits for a child that has not."""

def request_end(save: bool, /) -> None:
    """R ends by its own clean-up at its next prompt, after saving its workspace if so wanted."""

def answer(number: int, text: bytes, /) -> None:
    """Answer the question of that number, for which R waits; too late an answer is forgotten."""

def suspend_signals() -> int:
    """From now on SIGUSR1 and SIGUSR2 do not end R: the returned pipe gets a byte `1` or `2` for each."""

def note_temporary_folder(name: str, text: str, /) -> None:
    """The file and its content that R's temporary folder has from the first moment on; called before `run`."""

def temporary_folder() -> str | None:
    """R's `tempdir()`; None until R has made it."""

def acknowledge_quit() -> NoReturn:
    """Let the process end; this thread stops for good."""
