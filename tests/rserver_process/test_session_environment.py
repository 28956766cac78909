"""What variables a session starts with."""

from rserver_process.accounts import Account
from rserver_process.session_environment import session_environment

ACCOUNT = Account("ann", 1000, 1000, "/home/ann", "/bin/zsh", (1000,))


def test_plain_account() -> None:
    """Identity, a path and a language."""
    assert session_environment(ACCOUNT, {}, {}, ()) == {
        "HOME": "/home/ann",
        "USER": "ann",
        "LOGNAME": "ann",
        "SHELL": "/bin/zsh",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
        "LANG": "C.UTF-8",
    }


def test_later_sources_win() -> None:
    """Server, then PAM, then the launch spec."""
    base, pam, extra = {"A": "1", "B": "1", "C": "1"}, {"B": "2", "C": "2"}, (("C", "3"),)
    made = session_environment(ACCOUNT, base, pam, extra)
    assert (made["A"], made["B"], made["C"]) == ("1", "2", "3")


def test_libraries_of_r_come_before_those_of_pam() -> None:
    pam, extra = {"LD_LIBRARY_PATH": "/opt/oracle"}, (("LD_LIBRARY_PATH", "/usr/lib/R/lib"),)
    assert session_environment(ACCOUNT, {}, pam, extra)["LD_LIBRARY_PATH"] == "/usr/lib/R/lib:/opt/oracle"
    assert session_environment(ACCOUNT, {}, pam, ())["LD_LIBRARY_PATH"] == "/opt/oracle"


def test_identity_is_not_for_the_launch_spec_to_say() -> None:
    """PAM may move a home, the worker may not."""
    made = session_environment(ACCOUNT, {"USER": "x"}, {"HOME": "/net/ann"}, (("HOME", "/root"), ("USER", "root")))
    assert (made["HOME"], made["USER"]) == ("/net/ann", "ann")


def test_account_without_a_shell() -> None:
    """passwd(5): an empty field means sh."""
    assert session_environment(Account("a", 1, 1, "/", "", ()), {}, {}, ())["SHELL"] == "/bin/sh"
