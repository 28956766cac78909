"""What goes over the wire when somebody signs in without HTTPS."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.person import Person
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def posted(person: Person) -> list[dict[str, list[str]]]:
    """The forms that are sent from now on."""
    seen: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.post_data and "/auth-do-sign-in" in request.url:
            seen.append(parse_qs(request.post_data))

    person.page.on("request", note)
    return seen


def test_the_password_is_never_sent_in_clear(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        forms = posted(person)
        person.visit()
        for password in ("wrong ünïcödé \U0001f600" * 20, alice.password):
            person.page.fill("[name=username]", alice.name)
            person.page.fill("[name=password]", password)
            person.page.click("button[type=submit]")
            if password != alice.password:
                expect(person.page.get_by_text("is not right")).to_be_visible()
        person.wait_for_prompt()
        assert [set(form) for form in forms] == [{"rs-csrf-token", "appUri", "username", "encrypted"}] * 2
        assert all(alice.password not in str(form) for form in forms)
        assert person.complaints == []


def test_over_https_it_is_left_to_that(chromium: Browser, alice: Account) -> None:
    with running_server(ssl_enabled="1") as server, Person(chromium, server) as person:
        forms = posted(person)
        person.sign_in(alice)
        assert forms[0]["password"] == [alice.password]


def test_a_page_that_outlived_the_server_is_told_to_type_again(chromium: Browser, alice: Account) -> None:
    with running_server() as server, Person(chromium, server) as person:
        person.visit("/auth-sign-in")
        server.stop()
        server.start()
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        expect(person.page.get_by_text("Type the password again")).to_be_visible()
        person.page.fill("[name=username]", alice.name)
        person.page.fill("[name=password]", alice.password)
        person.page.click("button[type=submit]")
        person.wait_for_prompt()
