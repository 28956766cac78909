import signal

import pytest

from rserver.sessions import causes


@pytest.mark.parametrize(
    ("code", "number", "answered", "words"),
    [
        (0, None, True, "R was quit."),
        (0, None, False, "profile"),
        (1, None, False, "exit code 1 before it was ready"),
        (7, None, True, "exit code 7."),
        (127, None, False, "not found"),
        (None, signal.SIGSEGV, True, "signal 11 (SIGSEGV): a crash in compiled code"),
        (None, signal.SIGKILL, False, "before it was ready by signal 9 (SIGKILL)"),
        (None, 63, True, "signal 63 (unknown)."),
    ],
)
def test_ends_are_told_in_a_sentence(code: int | None, number: int | None, answered: bool, words: str) -> None:
    fate = causes.of_exit(code, number, "tail", answered=answered)
    assert words in fate.cause
    assert (fate.code, fate.signal, fate.stderr_tail) == (code, number, "tail")


def test_the_tail_is_bounded_and_keeps_the_end() -> None:
    fate = causes.of_exit(1, None, "x" * 100_000 + "last words", answered=False)
    assert len(fate.stderr_tail) == causes.MAX_TAIL
    assert fate.stderr_tail.endswith("last words")


@pytest.mark.parametrize("code", ["busy", "timeout", "refused", "pam", "closed", "never heard of"])
def test_refusals_are_told_with_the_reason(code: str) -> None:
    assert causes.of_refusal(code, "the reason").cause.endswith(": the reason")
    assert causes.of_refusal(code, "").cause.endswith(".")
