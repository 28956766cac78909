"""Two people in one project: each sees the other's face, file and line, and can follow."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.person import PATIENCE, Person
from tests.browser.test_accessibility import complaints
from tests.browser.test_projects import choose, is_in
from tests.system.accounts import Account
from tests.system.running_server import RunningServer

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]

LINES = 200


@pytest.fixture
def project(alice: Account, bob: Account) -> Path:
    """A project of alice's with the rights that sharing gives bob."""
    folder = alice.home / "ours"
    folder.mkdir()
    (folder / "ours.Rproj").write_text("Version: 1.0\n")
    for name in ("model.R", "plots.R"):
        (folder / name).write_text("".join(f"{name} <- {number}\n" for number in range(1, LINES + 1)))
    for path in (folder, *folder.iterdir()):
        os.chown(path, alice.uid, alice.gid)
    rights = [f"u:{bob.name}:rwX", f"d:u:{bob.name}:rwX", f"d:u:{alice.name}:rwX"]
    subprocess.run(["setfacl", "-R", *[part for right in rights for part in ("-m", right)], str(folder)], check=True)
    subprocess.run(["setfacl", "-m", f"u:{bob.name}:x", str(alice.home)], check=True)
    return folder


def enter(person: Person, account: Account, folder: Path) -> None:
    """Sign in and open the project."""
    person.sign_in(account)
    choose(person.page, "Open project…")
    person.page.get_by_test_id("project-path").fill(str(folder))
    person.page.get_by_test_id("open-here").click()
    is_in(person.page, "ours")


def open_file(page: Page, path: Path) -> None:
    """Through the dialog."""
    page.get_by_test_id("open-document").click()
    page.get_by_test_id("file-name").fill(str(path))
    page.get_by_test_id("file-confirm").click()
    expect(text_of(page, path.name)).to_be_visible(timeout=PATIENCE)


def text_of(page: Page, name: str) -> Locator:
    """The editor of a file."""
    return page.get_by_role("textbox", name=f"Text of {name}")


def is_at(page: Page, name: str, line: int) -> None:
    """The cursor's line in the file in sight is this one."""
    expect(page.get_by_role("tab", name=re.compile(name))).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    active = page.locator(".cm-editor:visible .cm-activeLineGutter").first
    expect(active).to_have_text(str(line), timeout=PATIENCE)


def test_faces_places_and_following(
    chromium: Browser, server: RunningServer, alice: Account, bob: Account, project: Path
) -> None:
    with Person(chromium, server) as first, Person(chromium, server) as second:
        enter(first, alice, project)
        expect(first.page.get_by_test_id("faces")).to_have_count(0)
        enter(second, bob, project)
        for page, other in ((first.page, bob), (second.page, alice)):
            expect(page.get_by_test_id("face")).to_have_text(other.name[:2].upper(), timeout=PATIENCE)
            expect(page.get_by_test_id("faces")).to_have_attribute("title", f"{other.name}: no file of the project")

        # Where the other one is, in the tooltip and on the list.
        open_file(first.page, project / "model.R")
        text_of(first.page, "model.R").click()
        first.page.keyboard.press("Control+Home")
        for _ in range(2):
            first.page.keyboard.press("ArrowDown")
        faces = second.page.get_by_test_id("faces")
        expect(faces).to_have_attribute("title", f"{alice.name}: model.R:3", timeout=PATIENCE)
        faces.click()
        expect(second.page.get_by_test_id("whereabouts")).to_have_text("model.R:3")
        assert complaints(second.page) == []

        # Follow: to the file, to another line, to another file.
        second.page.get_by_role("menuitem", name=re.compile(alice.name)).click()
        expect(second.page.get_by_test_id("followed")).to_be_visible()
        is_at(second.page, "model.R", 3)
        first.page.keyboard.press("Control+End")
        is_at(second.page, "model.R", LINES + 1)
        open_file(first.page, project / "plots.R")
        is_at(second.page, "plots.R", 1)

        # Escape ends it.
        second.page.keyboard.press("Escape")
        expect(second.page.get_by_test_id("followed")).to_have_count(0)
        text_of(first.page, "plots.R").click()
        first.page.keyboard.press("Control+End")
        expect(faces).to_have_attribute("title", f"{alice.name}: plots.R:{LINES + 1}", timeout=PATIENCE)
        is_at(second.page, "plots.R", 1)

        # Own typing does as well.
        faces.click()
        second.page.get_by_role("menuitem", name=re.compile(alice.name)).click()
        is_at(second.page, "plots.R", LINES + 1)
        second.page.get_by_test_id("console-input").click()
        expect(second.page.get_by_test_id("followed")).to_be_visible()
        second.page.keyboard.type("1")
        expect(second.page.get_by_test_id("followed")).to_have_count(0)

        # Who leaves is not seen any more.
        assert [*first.complaints, *second.complaints] == []
        choose(first.page, "Close project")
        expect(second.page.get_by_test_id("faces")).to_have_count(0, timeout=PATIENCE)
        assert second.complaints == []
