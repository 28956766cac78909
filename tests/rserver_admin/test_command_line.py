import pytest

from rserver_admin.command_line import UsageError, parse


def test_verb_operand_and_options_in_any_order() -> None:
    for argv in (
        ["kill-session", "123", "--json", "--server-data-dir=/run/x"],
        ["--server-data-dir", "/run/x", "kill-session", "--json", "123"],
    ):
        found = parse(argv)
        assert (found.verb, found.operands, found.json) == ("kill-session", ("123",), True)
        assert found.options == ("--server-data-dir=/run/x",)


def test_the_last_of_an_option_counts() -> None:
    assert parse(["start", "--www-port=1", "--www-port=2"]).options == ("--www-port=2",)


def test_our_own_options_do_not_reach_rserver() -> None:
    found = parse(["verify-installation", "--verify-user", "ann", "--www-port=1"])
    assert (found.own, found.options) == ({"verify-user": "ann"}, ("--www-port=1",))


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"], ["help", "start"]])
def test_help_is_no_verb(argv: list[str]) -> None:
    assert parse(argv).verb == ""


@pytest.mark.parametrize("argv", [[], ["--json"], ["status", "--nonsense"], ["status", "--www-port"]])
def test_what_cannot_be_understood_is_refused(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(argv)
