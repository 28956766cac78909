import pytest

from rserver_admin.pages import reference_page, usage
from rserver_admin.verbs import VERBS


@pytest.mark.parametrize("name", list(VERBS))
def test_every_verb_is_told_of(name: str) -> None:
    assert f"\n  {name}" in usage(VERBS.values())
    lines = reference_page(VERBS.values()).splitlines()
    assert sum(line.startswith((f"| `{name}`", f"| `{name} ")) for line in lines) == 2
