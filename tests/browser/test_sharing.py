"""A project is shared from the page: three accounts, each in a real browser, from the invitation to the farewell."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.person import PATIENCE, Person
from tests.browser.test_accessibility import complaints
from tests.browser.test_editing_together import editor_of, shows
from tests.browser.test_presence import open_file
from tests.browser.test_projects import choose, is_in, is_in_none, make_project
from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

TEXT = "x <- 1\n"
PHONE = 390


@pytest.fixture
def carol() -> Iterator[Account]:
    """A third account, of somebody with a name."""
    with account("rst", "--comment", "Carol Öner-Müller,Room 1") as made:
        yield made


def write(owner: Account, path: Path, text: str) -> None:
    """A file of the owner's."""
    path.write_text(text)
    os.chown(path, owner.uid, owner.gid)


def begin_project(person: Person, owner: Account, name: str = "ours") -> Path:
    """Sign in and make a project with a script in it."""
    owner.home.chmod(0o700)
    person.sign_in(owner)
    make_project(person.page, f"~/{name}")
    is_in(person.page, name)
    write(owner, owner.home / name / "model.R", TEXT)
    return owner.home / name


def dialog(page: Page) -> Locator:
    return page.get_by_test_id("dialog")


def row(page: Page, who: Account) -> Locator:
    """Of the list in the dialog."""
    return page.get_by_test_id(f"person-{who.name}")


def open_dialog(page: Page) -> None:
    """Of the owner; the cursor waits for a name."""
    choose(page, "Share project…")
    expect(page.get_by_test_id("person")).to_be_focused(timeout=PATIENCE)
    expect(dialog(page)).to_contain_text("can run with your account")


def share_with(page: Page, *people: Account) -> None:
    """By keyboard alone: the beginning of a name, Enter on the proposal; at the end Enter in the empty field."""
    open_dialog(page)
    for who in people:
        page.keyboard.type(who.name[:-1])
        proposal = page.get_by_role("option").filter(has_text=who.name)
        expect(proposal).to_be_visible(timeout=PATIENCE)
        page.keyboard.press("ArrowDown")
        while proposal.get_attribute("aria-selected") != "true":
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(row(page, who)).to_contain_text("will be added")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("share-done")).to_contain_text("Shared with", timeout=PATIENCE)
    for who in people:
        expect(row(page, who)).not_to_contain_text("will be added")


def finds_nobody(page: Page, name: str, words: str) -> None:
    """Somebody who cannot be added is told of, and the dialog left."""
    open_dialog(page)
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("person-hint")).to_have_text(words, timeout=PATIENCE)
    expect(page.get_by_test_id("share-apply")).to_be_disabled()
    page.get_by_test_id("share-close").click()


def take_out(page: Page, who: Account) -> None:
    """Through the owner's dialog."""
    open_dialog(page)
    row(page, who).get_by_role("button").click()
    expect(row(page, who)).to_contain_text("will be removed")
    page.get_by_role("button", name="Apply changes").click()
    expect(page.get_by_test_id("share-done")).to_contain_text("Shared with", timeout=PATIENCE)
    expect(row(page, who)).to_have_count(0)
    page.get_by_test_id("share-close").click()


def enter_from_home(person: Person, who: Account, owner: Account) -> None:
    """Open what stands below "Shared with you" on the page of all sessions."""
    person.visit("/home")
    shared = person.page.locator("li.shared-project")
    expect(shared).to_contain_text(owner.name)
    shared.get_by_role("button", name=re.compile("^Open the project ours")).first.click()
    is_in(person.page, "ours")


def access_to(folder: Path) -> str:
    """Access control lists of a project's folder, of its files, and of the home."""
    paths = (folder.parent, folder, folder / "ours.Rproj", folder / "model.R")
    return subprocess.run(["getfacl", "-pn", *map(str, paths)], capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def people(chromium: Browser, server: RunningServer, widths: tuple[int, ...]) -> Iterator[list[Person]]:
    """One window for each width."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Person(chromium, server, width=width)) for width in widths]


def test_three_people_from_invitation_to_farewell(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account, carol: Account
) -> None:
    with people(chromium, server, (1440, 1440, PHONE)) as (first, second, third):
        folder = begin_project(first, alice)
        before = access_to(folder)
        # Somebody who waits on the page of all sessions sees it come.
        second.sign_in(bob)
        second.visit("/home")
        expect(second.page.locator("li.shared-project")).to_have_count(0)
        finds_nobody(first.page, "no-such-user", "There is nobody called “no-such-user”.")
        finds_nobody(first.page, alice.name, f"“{alice.name}” is in the project already.")
        share_with(first.page, bob, carol)
        # A file that was closed to the members opens again.
        write(alice, folder / "closed.R", TEXT)
        (folder / "closed.R").chmod(0o600)
        first.page.get_by_test_id("share-repair").click()
        expect(first.page.get_by_test_id("share-done")).to_contain_text("Access is repaired for", timeout=PATIENCE)
        assert (folder / "closed.R").stat().st_mode & 0o077 == 0o060
        assert complaints(first.page) == []
        first.page.get_by_test_id("share-close").click()
        shared = second.page.locator("li.shared-project")
        expect(shared).to_contain_text("ours", timeout=PATIENCE)
        expect(shared).to_contain_text(f"of {alice.name}")
        second.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert complaints(second.page) == []
        enter_from_home(second, bob, alice)

        # On a phone, from the menu of the session.
        third.sign_in(carol)
        third.page.get_by_test_id("project-menu").click()
        expect(third.page.get_by_role("menuitem", name="Share project…")).to_have_count(0)
        expect(third.page.get_by_role("group", name="Shared with you")).to_contain_text("ours", timeout=PATIENCE)
        assert complaints(third.page) == []
        third.page.get_by_role("menuitem", name=re.compile("^ours")).click()
        is_in(third.page, "ours")
        for person in (first, second, third):
            expect(person.page.get_by_test_id("faces").get_by_test_id("face")).to_have_count(2, timeout=PATIENCE)

        # A member sees who owns it and who is here, and cannot change that.
        third.page.get_by_test_id("faces").click()
        third.page.get_by_role("menuitem", name="People in this project…").click()
        expect(dialog(third.page)).to_contain_text(f"{alice.name} owns this project")
        expect(row(third.page, bob)).to_contain_text("is here")
        expect(row(third.page, carol)).to_contain_text("Carol Öner-Müller (you)")
        expect(third.page.get_by_test_id("person")).to_have_count(0)
        assert complaints(third.page) == []
        third.page.keyboard.press("Escape")

        # They edit one text.
        for person in (first, second):
            open_file(person.page, folder / "model.R")
        for person, other in ((first, bob), (second, alice)):
            expect(person.page.get_by_test_id("together")).to_contain_text(other.name, timeout=PATIENCE)
        editor_of(first.page).click()
        first.page.keyboard.press("Control+Home")
        first.page.keyboard.type("# alice\n")
        shows(second.page, f"# alice\n{TEXT}")
        editor_of(second.page).click()
        second.page.keyboard.press("Control+End")
        second.page.keyboard.type("# bob")
        shows(first.page, f"# alice\n{TEXT}# bob")

        # Bob is taken out: he is told, keeps his text, and goes on.
        take_out(first.page, bob)
        is_told(second, f"{alice.name} has ended your access")
        rescue(second, bob, f"# alice\n{TEXT}# bob")
        expect(first.page.get_by_test_id("faces").get_by_test_id("face")).to_have_count(1, timeout=PATIENCE)
        shows(first.page, f"# alice\n{TEXT}# bob")

        # Carol leaves by herself.
        choose(third.page, "People in this project…")
        third.page.get_by_test_id("leave-project").click()
        assert complaints(third.page) == []
        third.page.get_by_test_id("leave-sure").click()
        expect(dialog(third.page)).to_contain_text("You have left “ours”", timeout=PATIENCE)
        third.page.get_by_test_id("revoked-go-on").click()
        is_in_none(third.page)
        expect(first.page.get_by_test_id("faces")).to_have_count(0, timeout=PATIENCE)
        open_dialog(first.page)
        expect(first.page.get_by_test_id("share-people")).to_contain_text("Nobody else yet.")
        wait_until(lambda: access_to(folder) == before, 20)
        for person in (first, second, third):
            is_calm(person)


def is_calm(person: Person) -> None:
    """No errors on the page; it may have asked for the shared text while its host went, a few times at most."""
    collab = [each for each in person.complaints if "/collab/" in each]
    assert [each for each in person.complaints if each not in collab] == []
    assert len(collab) <= 10


def is_told(person: Person, words: str) -> None:
    """That the project is gone; what is left of it on the page is clean."""
    expect(dialog(person.page)).to_contain_text("“ours” is no longer shared with you", timeout=PATIENCE)
    expect(person.page.get_by_test_id("revoked")).to_contain_text(words)
    assert complaints(person.page) == []


def rescue(person: Person, who: Account, text: str) -> None:
    """Download the text that is in no file, save a copy in the own home, go on without the project."""
    page = person.page
    with page.expect_download() as download:
        page.get_by_role("button", name="Download model.R").click()
    assert Path(download.value.path()).read_text() == text
    assert download.value.suggested_filename == "model.R"
    page.get_by_test_id("rescue-folder").fill("~/rescued")
    page.get_by_test_id("rescue-save").click()
    expect(dialog(page)).to_contain_text("in ~/rescued.", timeout=PATIENCE)
    copies = list((who.home / "rescued").iterdir())
    assert [(each.name, each.read_text()) for each in copies] == [("model.R", text)]
    page.get_by_test_id("revoked-go-on").click()
    is_in_none(page)
    expect(page.get_by_test_id("faces")).to_have_count(0)
    person.type_at_prompt("6 * 7")
    person.sees("42")


def test_where_the_list_of_users_is_hidden(chromium: Browser, alice: Account, bob: Account) -> None:
    files = {"rsession.conf": "project-sharing-enumerate-server-users=0\n"}
    with running_server(files=files) as server, Person(chromium, server, width=PHONE) as person:
        begin_project(person, alice)
        page = person.page
        open_dialog(page)
        hint = page.get_by_test_id("person-hint")
        expect(hint).to_contain_text("hidden")
        # The beginning of a name finds nobody, and a wrong one is told.
        page.keyboard.type(bob.name[:-1])
        page.keyboard.press("Enter")
        expect(hint).not_to_have_text("", timeout=PATIENCE)
        expect(page.get_by_role("option")).to_have_count(0)
        page.get_by_test_id("person").fill(bob.name)
        page.get_by_test_id("person-add").click()
        expect(row(page, bob)).to_contain_text("will be added", timeout=PATIENCE)
        assert complaints(page) == []
        page.get_by_test_id("share-apply").click()
        expect(page.get_by_test_id("share-done")).to_contain_text(bob.name, timeout=PATIENCE)
        # From the page of his sessions bob leaves, without ever having opened it.
        with Person(chromium, server, width=PHONE) as other:
            other.sign_in(bob)
            other.visit("/home")
            other.page.get_by_text("Leave…").click()
            other.page.get_by_role("button", name="Leave this project").click()
            expect(other.page.locator("li.shared-project")).to_have_count(0)
            assert other.complaints == []
        expect(row(page, bob)).to_have_count(0, timeout=PATIENCE)
        assert person.complaints == []
