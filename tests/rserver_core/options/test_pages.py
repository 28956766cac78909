"""Pages written from the tables."""

from typing import Any

import pytest

from rserver_core import conf_file
from rserver_core.conf_file import Entry
from rserver_core.options import pages
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION
from rserver_core.options.table import OptionTable


@pytest.mark.parametrize("table", [RSERVER, RSESSION])
def test_sample_file_changes_nothing_as_it_is(table: OptionTable[Any]) -> None:
    assert list(conf_file.parse(pages.sample_file(table), "f")) == []


def test_sample_file_with_the_marks_taken_away_is_the_default() -> None:
    lines = [
        line[1:] for line in pages.sample_file(RSERVER).splitlines() if line.startswith("#") and line[1:2].isalpha()
    ]
    entries = [entry for entry in conf_file.parse("\n".join(lines), "f") if isinstance(entry, Entry)]
    settable = [entry for entry in entries if not RSERVER.options[entry.key].row.repeatable]
    environ = {"HOME": "/root"}
    assert len(settable) > 20
    assert RSERVER.parse((), settable, environ, root=True) == RSERVER.defaults(environ, root=True)


def test_reference_page_has_a_row_for_every_option() -> None:
    page = pages.reference_page(RSERVER)
    assert all(f"| `{name}` |" in page or f"| `--{name}` |" in page for name in RSERVER.options)


def test_sections_cover_all_options_once() -> None:
    shown = [option.name for _, options in pages.sections(RSERVER) for option in options]
    assert shown == list(RSERVER.options)
