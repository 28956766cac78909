"""A session that cannot be started can be started with another R, from its page and from the page of the server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from rserver_core.r_scan import find_installation
from tests.browser.person import Person
from tests.browser.test_time_outs import elsewhere, picture
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

OWN = find_installation("", "/usr/local/bin:/usr/bin")
R_VERSIONS = f"""\
Path: {OWN.home}
Label: Working

Path: {OWN.home}
Label: Broken
Script: {{conf}}/broken.sh
"""


@pytest.fixture(scope="module")
def broken_server() -> Iterator[RunningServer]:
    files = {"r-versions": R_VERSIONS, "broken.sh": "echo 'the license server is away' >&2; exit 3\n"}
    with running_server(files=files) as made:
        yield made


def session_of(server: RunningServer, account: Account) -> str:
    """The path of a session that wants the broken one."""
    visitor = elsewhere(server, account)
    made = visitor.post_json("/api/sessions", {"label": "Broken one", "r_version": f"{OWN.version}||Broken"})
    assert made.status == 201, made.body
    return str(made.json()["url"])


def test_another_r_is_chosen(chromium: Browser, broken_server: RunningServer, alice: Account) -> None:
    with Person(chromium, broken_server) as person:
        person.visit()
        page = person.page
        page.fill("[name=username]", alice.name)
        page.fill("[name=password]", alice.password)
        page.click("button[type=submit]")
        person.wait_for_prompt()
        session = session_of(broken_server, alice)
        person.visit(session)
        expect(page.get_by_text("The start script of this R version failed.")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="The R session failed")).to_be_visible()
        expect(page.get_by_role("link", name="Your sessions")).to_be_visible()
        choice = page.get_by_label("R version")
        expect(choice.locator("option:checked")).to_contain_text("Broken")
        picture(person, "failed-page")
        # It fails again, under its page now.
        page.get_by_role("button", name="Start R again").click()
        overlay = page.get_by_test_id("session-overlay")
        expect(overlay).to_contain_text("The start script of this R version failed.")
        overlay.get_by_label("R version").select_option(label=f"R {OWN.version} (Working)")
        picture(person, "failed-overlay")
        overlay.get_by_test_id("overlay-start").click()
        person.wait_for_prompt()
        expect(page.locator("header.top")).to_contain_text("(Working)")


def test_another_r_is_chosen_without_javascript(
    chromium: Browser, broken_server: RunningServer, alice: Account
) -> None:
    visitor = elsewhere(broken_server, alice)
    visitor.session_path = session_of(broken_server, alice)
    visitor.rpc_answer("client_init")
    answer = visitor.get(visitor.session_path)
    assert answer.status == 503
    text = answer.body.decode()
    working = f"{OWN.version}|{OWN.home}|Working"
    assert f'value="{working}"' in text
    assert visitor.post_form(f"{visitor.session_path}restart", how="retry", r_version=working).status == 303
    assert "result" in visitor.rpc_answer("client_init")
