"""Jupyter and Streamlit, shown through the server."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person
from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.test_port_programs import free_port, running_as

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser, pytest.mark.slow]

STREAMLIT = """
import streamlit as st
name = st.text_input("Who")
st.write(f"Hello, {name}!")
"""


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """The folder of the commands jupyter and streamlit."""
    with tempfile.TemporaryDirectory(prefix="rs-programs-") as folder:
        Path(folder).chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [f"{folder}/bin/pip", "install", "-q", "jupyterlab", "ipykernel", "streamlit"]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            pytest.skip("needs a Python package index (jupyterlab, streamlit)")
        yield Path(folder, "bin")


@pytest.fixture
def person(chromium: Browser, server: RunningServer, alice: Account) -> Iterator[Person]:
    """Alice at the prompt."""
    with Person(chromium, server) as somebody:
        somebody.sign_in(alice)
        yield somebody


def address_of(person: Person, kind: str, port: int) -> str:
    return f"{person.page.url.partition('/s/')[0]}/s/{person.page.url.partition('/s/')[2][:21]}/{kind}/{port}/"


def test_jupyter_lab_with_a_kernel(person: Person, alice: Account, programs: Path) -> None:
    port = free_port()
    address = address_of(person, "absproxy", port)
    base = "/" + address.split("/", 3)[3]
    options = ("--no-browser", f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.base_url={base}")
    with running_as(alice, str(programs / "jupyter"), "lab", *options):
        response = None

        def answers() -> bool:
            nonlocal response
            response = person.page.goto(f"{address}lab")
            return response is not None and response.status == 200

        wait_until(answers)
        person.page.get_by_role("button", name="Python 3").first.click(timeout=60_000)
        cell = person.page.locator(".jp-Notebook .cm-content").first
        cell.click(timeout=60_000)
        person.page.keyboard.type("print(6 * 7)")
        person.page.keyboard.press("Shift+Enter")
        expect(person.page.locator(".jp-OutputArea-output").first).to_contain_text("42", timeout=60_000)


def test_streamlit(person: Person, alice: Account, programs: Path) -> None:
    app = alice.home / "app.py"
    app.write_text(STREAMLIT)
    port = free_port()
    address = address_of(person, "p", port)
    options = (f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true")
    with running_as(alice, str(programs / "streamlit"), "run", str(app), *options):
        wait_until(lambda: getattr(person.page.goto(address), "status", 0) == 200)
        field = person.page.get_by_label("Who")
        field.fill("world", timeout=60_000)
        field.press("Enter")
        expect(person.page.get_by_text("Hello, world!")).to_be_visible(timeout=30_000)
