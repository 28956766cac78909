"""Which prompts get the password."""

from rserver_pam.password_answer import PasswordAnswer
from rserver_process.pam_library import PROMPT_ECHO_OFF, PROMPT_ECHO_ON


def test_the_first_hidden_prompt_gets_it() -> None:
    """Whatever its words."""
    assert PasswordAnswer("geheim")(PROMPT_ECHO_OFF, "Passwort: ") == "geheim"


def test_the_same_prompt_again_gets_it_again() -> None:
    """A second module of the stack; but not for ever."""
    answer = PasswordAnswer("geheim")
    assert [answer(PROMPT_ECHO_OFF, "Password: ") for _ in range(4)] == ["geheim"] * 3 + [None]


def test_another_hidden_prompt_gets_nothing() -> None:
    """A new password that the user never chose, or a second factor."""
    answer = PasswordAnswer("geheim")
    answer(PROMPT_ECHO_OFF, "Current password: ")
    assert answer(PROMPT_ECHO_OFF, "New password: ") is None
    assert answer(PROMPT_ECHO_OFF, "Current password: ") == "geheim"


def test_visible_prompt_gets_nothing() -> None:
    """What is typed there may be shown and logged."""
    assert PasswordAnswer("geheim")(PROMPT_ECHO_ON, "login: ") is None
