"""How a session ends."""

from dataclasses import dataclass


@dataclass(slots=True)
class Ending:
    """last_word: why, a sentence for the user, empty when R was quit; exit_status: of R, which is ending.

    was_quit: somebody said so, by `q()` or by `quit_session`.
    """

    last_word: str = ""
    exit_status: int | None = None
    was_quit: bool = False
