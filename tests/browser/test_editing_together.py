"""Two and three accounts type in one file of one project, each in a real browser."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PageTimeout

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer
from tests.system.test_collaborative_editing import LINES, Editor, filebase_of, first_keeps, shared_project
from tests.system.test_networks import Cable, nginx_before
from tests.system.test_projects import until

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


def backgrounds(page: Page, selector: str) -> set[str]:
    """The colours behind the letters of these."""
    script = "found => found.map(each => getComputedStyle(each).backgroundColor)"
    return set(page.locator(selector).evaluate_all(script))


def editor_of(page: Page) -> Locator:
    return page.locator("[data-testid=editor] .cm-content")


class Behind(Person):
    """Somebody who comes through another port than the server's own."""

    def __init__(self, chromium: Browser, server: RunningServer, port: int) -> None:
        super().__init__(chromium, server)
        self._port = port

    def visit(self, path: str = "/") -> None:
        """Type an address."""
        self.page.goto(f"http://127.0.0.1:{self._port}{path}")


class Pair:
    """Two editors and their browsers."""

    def __init__(self, editors: list[Editor], people: list[Person]) -> None:
        self.editors, self.people = editors, people

    def pages(self) -> tuple[Page, Page]:
        return self.people[0].page, self.people[1].page


@contextlib.contextmanager
def pair(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account, name: str, bobs_port: int = 0
) -> Iterator[Pair]:
    """Alice, whose session keeps the text, and Bob with the shared file open, and both see it shared."""
    folder = shared_project(alice, bob, name)
    editors = [Editor(server, alice, folder), Editor(server, bob, folder)]
    with contextlib.ExitStack() as stack:
        people = [
            stack.enter_context(Behind(chromium, server, port)) for port in (server.port, bobs_port or server.port)
        ]
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


def types(page: Page, key: str, text: str) -> None:
    """Go somewhere with a key and type."""
    editor_of(page).click()
    page.keyboard.press(key)
    page.keyboard.type(text)


def test_a_killed_host_costs_no_keystroke_and_who_comes_back_merges(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "breaks") as both:
        host = 0 if first_keeps(both.editors[0]) else 1
        killed, guest = both.pages()[host], both.pages()[1 - host]
        types(guest, "Control+Home", "meanwhile ")
        shows(killed, "meanwhile " + START)
        os.kill(both.editors[host].visitor.init()["session"]["pid"], signal.SIGKILL)
        types(guest, "Control+End", "still typing")
        overlay = killed.get_by_test_id("session-overlay")
        overlay.wait_for(state="visible")
        # Nobody else is there, but the text goes on to be kept for both.
        expect(guest.get_by_test_id("together")).to_have_count(0, timeout=PATIENCE)
        until(lambda: filebase_of(both.editors[1 - host]) != 0)
        types(guest, "Control+Home", "alone ")
        guest.keyboard.press("Control+s")
        expect(guest.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        killed.get_by_test_id("overlay-start").click()
        # Its session has not come back when it is typed in again.
        types(killed, "Control+Home", "dead ")
        for page in (killed, guest):
            expect(page.get_by_test_id("together")).to_be_visible(timeout=PATIENCE)
            page.wait_for_function(f"() => ({TEXT})().includes('dead ')", timeout=PATIENCE)
        together = guest.evaluate(TEXT)
        assert together.replace("dead ", "", 1) == "alone meanwhile " + START + "still typing"
        shows(killed, together)
        types(killed, "Control+End", " back")
        shows(guest, together + " back")
        assert both.people[1 - host].page.get_by_test_id("editor-tab").count() == 1
        assert killed.get_by_test_id("editor-tab").count() == 1


def test_two_minutes_without_a_network_are_merged(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    cable = Cable(server.port)
    with contextlib.closing(cable), pair(chromium, server, alice, bob, "offline", cable.port) as both:
        first, second = both.pages()
        shows(second, START)
        second.clock.install()
        cable.pull()
        types(second, "Control+End", "offline ")
        types(first, "Control+Home", "meanwhile ")
        second.clock.fast_forward("02:00")
        types(second, "Control+End", "for long")
        assert first.evaluate(TEXT) == "meanwhile " + START
        cable.plug()
        second.clock.fast_forward("00:05")
        for page in (first, second):
            shows(page, "meanwhile " + START + "offline for long")


def test_nothing_is_complained_of_when_a_host_closes_the_file(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "closes") as both:
        host = 0 if first_keeps(both.editors[0]) else 1
        closing, other = both.pages()[host], both.pages()[1 - host]
        types(closing, "Control+Home", "1")
        shows(other, "1" + START)
        closing.keyboard.press("Control+s")
        expect(closing.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        closing.get_by_title(re.compile("^Close analysis.R")).click()
        expect(closing.get_by_test_id("editor-tab")).to_have_count(0, timeout=PATIENCE)
        expect(other.get_by_test_id("together")).to_have_count(0, timeout=PATIENCE)
        until(lambda: filebase_of(both.editors[host]) == filebase_of(both.editors[1 - host]) == 0)
        types(other, "Control+Home", "2")
        shows(other, "21" + START)
        expect(other.get_by_label("unsaved changes")).to_have_count(1)
        assert [each for person in both.people for each in person.complaints] == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
def test_a_proxy_that_lets_no_websocket_through(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account, tmp_path: Path
) -> None:
    plain = """location / { proxy_pass http://127.0.0.1:SERVER; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Host $http_host; if ($http_upgrade) { return 403; } }"""
    with (
        nginx_before(server, tmp_path, plain) as port,
        pair(chromium, server, alice, bob, "blocked", port) as both,
    ):
        first, second = both.pages()
        expect(second.get_by_test_id("polling")).to_be_visible()
        expect(first.get_by_test_id("polling")).to_have_count(0)
        types(second, "Control+End", "from behind")
        shows(first, START + "from behind")
        expect(first.locator(".remote-name")).to_have_text(bob.name)
        types(first, "Control+Home", "to behind ")
        shows(second, "to behind " + START + "from behind")
        expect(second.locator(".remote-name")).to_have_text(alice.name)
        second.keyboard.press("Control+s")
        for page in (first, second):
            expect(page.get_by_label("unsaved changes")).to_have_count(0, timeout=PATIENCE)
        assert (both.editors[0].folder / "analysis.R").read_bytes() == b"to behind " + LINES + b"from behind"
        # The host's session goes: the other's takes its place, over polls as well.
        keeper = 0 if first_keeps(both.editors[0]) else 1
        os.kill(both.editors[keeper].visitor.init()["session"]["pid"], signal.SIGKILL)
        guest = both.pages()[1 - keeper]
        types(guest, "Control+Home", "on ")
        until(lambda: filebase_of(both.editors[1 - keeper]) != 0)
        shows(guest, "on to behind " + START + "from behind")


def test_a_save_that_fails_says_why_and_leaves_both_unsaved(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account
) -> None:
    with pair(chromium, server, alice, bob, "unsaved") as both:
        first, second = both.pages()
        types(first, "Control+Home", "mine ")
        shows(second, "mine " + START)
        folder = both.editors[0].folder
        file, mode = folder / "analysis.R", folder.stat().st_mode
        # As on a disk that takes nothing.
        folder.chmod(mode & ~0o222)
        try:
            second.keyboard.press("Control+s")
            expect(second.get_by_text("cannot be written").first).to_be_visible(timeout=PATIENCE)
            for page in (first, second):
                expect(page.get_by_label("unsaved changes")).to_have_count(1)
        finally:
            folder.chmod(mode)
        assert file.read_bytes() == LINES
        # Far too much is refused before it is in the text; what is there goes on to be shared.
        editor_of(first).click()
        first.evaluate(
            "() => { const data = new DataTransfer(); data.setData('text/plain', 'x'.repeat(10 << 20));"
            " document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true,"
            " cancelable: true })); }"
        )
        expect(first.get_by_text("at most 5 MiB")).to_be_visible(timeout=PATIENCE)
        types(first, "Control+Home", "still ")
        shows(second, "still mine " + START)
        # Rights that are withdrawn are told, and the text stays.
        subprocess.run(["setfacl", "-x", f"u:{bob.name}", file], check=True)
        expect(second.get_by_text("Your text stays in this tab")).to_be_visible(timeout=PATIENCE)
        shows(second, "still mine " + START)


def test_three_accounts_type_in_one_line(
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
            person.sign_in(carl)
            person.visit(third.visitor.session_path)
            person.wait_for_prompt()
            page = person.page
            for name in (alice.name, bob.name):
                expect(page.get_by_test_id("together")).to_contain_text(name, timeout=PATIENCE)
            for each, text in ((first, "1"), (second, "2"), (page, "3")):
                types(each, "Control+Home", text)
                for other in (first, second, page):
                    other.wait_for_function(f"() => ({TEXT})().includes('{text}')", timeout=PATIENCE)
            for other in (first, second, page):
                shows(other, "321" + START)
            assert set(page.locator(".remote-name").all_text_contents()) == {alice.name, bob.name}
            expect(page.get_by_test_id("face")).to_have_count(2, timeout=PATIENCE)
            assert backgrounds(page, ".remote-name") == backgrounds(page, ".face")
            # Each takes back only what they typed, in whatever order.
            for each, left in ((second, "31"), (first, "3"), (page, "")):
                editor_of(each).click()
                each.keyboard.press("Control+z")
                for other in (first, second, page):
                    shows(other, left + START)
            complaints = [each for someone in (*both.people, person) for each in someone.complaints]
            assert complaints == []
            third.visitor.post_json(f"{third.visitor.session_path}rpc/abort", {"method": "abort", "params": []})
