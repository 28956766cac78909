"""What docs/reference/acceptance.md refers to."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/acceptance.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_row_is_there_with_a_test() -> None:
    rows = dict(re.findall(r"^\| ([\d, ]+) \|.*\| (.*) \|$", PAGE, re.MULTILINE))
    numbers = {int(number) for row in rows for number in row.split(",")}
    assert numbers >= {*range(8, 23), *range(29, 60), *range(76, 79), *range(102, 106)}
    assert [row for row, shown in rows.items() if "::" not in shown] == []


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
