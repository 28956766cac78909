"""Account names that may reach a privileged program."""

import pytest

from rserver_core.user_name import is_user_name


@pytest.mark.parametrize(
    "name", ["ann", "_apt", "Ann.Lee", "a-b", "ann@REALM.ORG", "DOM\\ann", "host$", "1ann", "a" * 255]
)
def test_names(name: str) -> None:
    assert is_user_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-ann", "--help", ".", "..", ".ann", "a b", "a/b", "a:b", "a\n", "a\0b", "ünï", "a$b", "a" * 300, "$(id)"],
)
def test_what_is_no_name(name: str) -> None:
    assert not is_user_name(name)
