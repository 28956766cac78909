"""Which prompts of PAM modules are answered with the password: the one that asks for it, and no other."""

from rserver_process.pam_library import PROMPT_ECHO_OFF

_MOST_REPETITIONS = 3


class PasswordAnswer:
    """Answers the first hidden prompt, and the same prompt again when a second module asks.

    Visible prompts (a user name, a code from a card) and other hidden ones ("New password:" of an expired password, a
    second factor) get no answer.
    """

    def __init__(self, password: str) -> None:
        self._password = password
        self._prompt: str | None = None
        self._asked = 0

    def __call__(self, style: int, prompt: str) -> str | None:
        """The answer, or None."""
        if style != PROMPT_ECHO_OFF or self._asked >= _MOST_REPETITIONS:
            return None
        if self._prompt is None:
            self._prompt = prompt
        self._asked += 1
        return self._password if prompt == self._prompt else None
