import pytest

from rserver_core.options.kinds import NotAllowed, Variables


@pytest.mark.parametrize(
    ("text", "names"), [("", ()), ("A", ("A",)), ("SSH_AUTH_SOCK: _x1 ", ("SSH_AUTH_SOCK", "_x1"))]
)
def test_names_with_colons_between(text: str, names: tuple[str, ...]) -> None:
    assert Variables().read(text, {}) == names


@pytest.mark.parametrize("text", [":", "A:", "1A", "A B", "A=1", "ä"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(NotAllowed):
        Variables().read(text, {})
