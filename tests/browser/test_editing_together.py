"""Two and three accounts type in one file of one project, each in a real browser."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PageTimeout

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer
from tests.system.test_collaborative_editing import LINES, Editor, first_keeps, shared_project

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

TEXT = """() => [...document.querySelectorAll('[data-testid=editor] .cm-line')].map(line => {
    const copy = line.cloneNode(true);
    copy.querySelectorAll('.remote-caret').forEach(each => each.remove());
    return copy.textContent;
}).join('\\n')"""


def shows(page: Page, text: str) -> None:
    """The editor shows this text, names at cursors left out."""
    try:
        page.wait_for_function(f"text => ({TEXT})() === text", arg=text, timeout=PATIENCE)
    except PageTimeout:
        assert page.evaluate(TEXT) == text
        raise


def editor_of(page: Page) -> Locator:
    return page.locator("[data-testid=editor] .cm-content")


class Pair:
    """Two editors and their browsers."""

    def __init__(self, editors: list[Editor], people: list[Person]) -> None:
        self.editors, self.people = editors, people

    def pages(self) -> tuple[Page, Page]:
        return self.people[0].page, self.people[1].page


@contextlib.contextmanager
def pair(chromium: Browser, server: RunningServer, alice: Account, bob: Account, name: str) -> Iterator[Pair]:
    """Alice and Bob with the shared file open, and both see it shared."""
    folder = shared_project(alice, bob, name)
    editors = [Editor(server, account, folder) for account in (alice, bob)]
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(Person(chromium, server)) for _ in editors]
        for person, editor in zip(people, editors, strict=True):
            person.sign_in(editor.account)
            person.visit(editor.visitor.session_path)
            person.wait_for_prompt()
        for person, other in zip(people, reversed(editors), strict=True):
            expect(person.page.get_by_test_id("together")).to_contain_text(other.account.name, timeout=PATIENCE)
        yield Pair(editors, people)
        for editor in editors:
            editor.visitor.post_json(f"{editor.visitor.session_path}rpc/abort", {"method": "abort", "params": []})


START = LINES.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def test_both_type_undo_their_own_and_save(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "browsers") as both:
        first, second = both.pages()
        shows(first, START)
        editor_of(first).click()
        first.keyboard.press("Control+Home")
        first.keyboard.type("# Alice was here")
        expect(second.get_by_test_id("typing")).to_contain_text(f"{alice.name} is typing", timeout=PATIENCE)
        first.keyboard.press("Enter")
        shows(second, "# Alice was here\n" + START)
        expect(second.locator(".remote-name")).to_have_text(alice.name)
        editor_of(second).click()
        second.keyboard.press("Control+End")
        second.keyboard.type("bob <- 1")
        shows(first, "# Alice was here\n" + START + "bob <- 1")
        expect(first.locator(".remote-name")).to_have_text(bob.name)
        # Undo takes back what its user typed, and nothing of the other.
        first.keyboard.press("Control+z")
        first.keyboard.press("Control+z")
        first.keyboard.press("Control+z")
        shows(second, START + "bob <- 1")
        second.keyboard.press("Control+s")
        expect(second.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        expect(first.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        assert (both.editors[0].folder / "analysis.R").read_bytes() == LINES + b"bob <- 1"
        for person in both.people:
            assert person.complaints == []


def test_a_break_and_a_killed_host_cost_no_keystroke(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "breaks") as both:
        first, second = both.pages()
        shows(second, START)
        second.context.set_offline(True)
        editor_of(second).click()
        second.keyboard.press("Control+End")
        second.keyboard.type("offline")
        editor_of(first).click()
        first.keyboard.press("Control+Home")
        first.keyboard.type("meanwhile ")
        second.context.set_offline(False)
        for page in (first, second):
            shows(page, "meanwhile " + START + "offline")
        host = 0 if first_keeps(both.editors[0]) else 1
        guest = both.people[1 - host].page
        os.kill(both.editors[host].visitor.init()["session"]["pid"], signal.SIGKILL)
        editor_of(guest).click()
        guest.keyboard.press("Control+End")
        guest.keyboard.type(" still typing")
        shows(guest, "meanwhile " + START + "offline still typing")
        # Alone again: the text is the editor's own, and is saved like any other.
        expect(guest.get_by_test_id("together")).to_have_count(0, timeout=PATIENCE)
        guest.keyboard.press("Control+s")
        expect(guest.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        saved = (both.editors[0].folder / "analysis.R").read_text(encoding="latin-1")
        assert saved.startswith("meanwhile one")
        assert saved.endswith("offline still typing")


def test_three_accounts_and_one_whose_proxy_blocks_websockets(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "three") as both, account("carl") as carl:
        folder = both.editors[0].folder
        subprocess.run(["setfacl", "-m", f"u:{carl.name}:x", alice.home], check=True)
        rights = f"u:{carl.name}:rwX,d:u:{carl.name}:rwX"
        subprocess.run(["setfacl", "-R", "-m", rights, folder], check=True)
        first, second = both.pages()
        third = Editor(server, carl, folder)
        with Person(chromium, server) as person:
            person.page.add_init_script(
                "window.blocked = true; const Real = WebSocket; window.WebSocket = class extends Real {"
                " constructor(url) { super(window.blocked && String(url).includes('/collab/') ? url + 'x' : url) } }"
            )
            person.sign_in(carl)
            person.visit(third.visitor.session_path)
            person.wait_for_prompt()
            page = person.page
            expect(page.get_by_test_id("together")).to_contain_text("you edit alone", timeout=PATIENCE)
            shows(page, START)
            # The way is free: everybody is in one text.
            page.evaluate("window.blocked = false")
            for name in (alice.name, bob.name):
                expect(page.get_by_test_id("together")).to_contain_text(name, timeout=PATIENCE)
            for each, text in ((first, "1"), (second, "2"), (page, "3")):
                editor_of(each).click()
                each.keyboard.press("Control+Home")
                each.keyboard.type(text)
                for other in (first, second, page):
                    other.wait_for_function(f"() => ({TEXT})().includes('{text}')", timeout=PATIENCE)
            for other in (first, second, page):
                shows(other, "321" + START)
            third.visitor.post_json(f"{third.visitor.session_path}rpc/abort", {"method": "abort", "params": []})
