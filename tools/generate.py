"""Files written from tables: option samples and reference pages, RPC methods, session states. Runs in .venv."""

import os
import sys
from collections.abc import Iterator, Sequence

from rserver_admin.pages import reference_page
from rserver_admin.verbs import VERBS
from rserver_core.options import pages
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION
from rserver_core.profiles import page as profiles_page
from rserver_diagnose import page as diagnose_page
from tools.layout import PYTHON, ROOT


def generate(arguments: Sequence[str]) -> int:
    """Write the files; with --check only say which differ (1) or that none does (0)."""
    if sys.executable != str(PYTHON):
        os.execv(PYTHON, [str(PYTHON), "-m", "tools", "generate", *arguments])
    stale = [(path, text) for path, text in _files() if _content(path) != text]
    if "--check" in arguments:
        for path, _ in stale:
            print(f"{path} is not what its table says; run `make generate`")
        return 1 if stale else 0
    for path, text in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
        print(f"wrote {path}")
    return 0


def _content(path: str) -> str | None:
    try:
        return (ROOT / path).read_text()
    except FileNotFoundError:
        return None


def _files() -> Iterator[tuple[str, str]]:
    """Path in the checkout and text."""
    for table in (RSERVER, RSESSION):
        yield f"etc/{table.conf_name}", pages.sample_file(table)
        yield f"docs/reference/{table.program}-conf.md", pages.reference_page(table)
    yield "etc/profiles", profiles_page.sample_file()
    yield "docs/reference/profiles.md", profiles_page.reference_page()
    yield "docs/reference/rstudio-server.md", reference_page(VERBS.values())
    yield "docs/reference/diagnose.md", diagnose_page.reference_page()
    from tools.rpc_page import rpc_page

    yield "docs/reference/rpc.md", rpc_page()
    from tools.session_states_page import session_states_page

    yield "docs/reference/session-states.md", session_states_page()
