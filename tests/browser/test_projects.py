"""Projects from the page: made, left, opened again, two at once."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import PATIENCE, Person
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r, pytest.mark.browser]


def choose(page: Page, item: str) -> None:
    """An item of the menu at the project's name, by keyboard alone."""
    page.get_by_test_id("project-menu").focus()
    page.keyboard.press("Enter")
    entry = page.get_by_role("menuitem", name=item)
    expect(entry).to_be_visible()
    for _ in range(12):
        if entry.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def is_in(page: Page, name: str) -> None:
    """The page shows a session of that project, and R waits."""
    expect(page.get_by_test_id("project-menu")).to_have_text(name, timeout=PATIENCE)
    expect(page.get_by_test_id("console-prompt")).to_have_text(">", timeout=PATIENCE)
    expect(page).to_have_title(re.compile(rf"^{re.escape(name)} · "))


def make_project(page: Page, folder: str) -> None:
    """Through the dialog, opened in this tab."""
    choose(page, "New project…")
    page.get_by_test_id("project-path").fill(folder)
    page.keyboard.press("Enter")


def test_from_a_new_project_to_two_at_once(chromium: Browser, server: RunningServer, alice: Account) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        without = page.url
        expect(page.get_by_test_id("project-menu")).to_have_text("No project")
        person.type_at_prompt("before <- 1")
        person.wait_for_prompt()
        make_project(page, "~/work/Übung <b>1")
        is_in(page, "Übung <b>1")
        folder = alice.home / "work" / "Übung <b>1"
        assert (folder / "Übung <b>1.Rproj").read_text().startswith("Version: 1.0\n")
        person.type_at_prompt("getwd(); inside <- 4711")
        person.sees(str(folder))
        in_project = page.url
        assert in_project != without

        choose(page, "Close project")
        expect(page).to_have_url(without, timeout=PATIENCE)
        is_in_none(page)
        person.type_at_prompt("before + 41")
        person.sees("42")

        # Opened again from the list of recent ones, in a tab of its own: two at once.
        person.visit("/home")
        recent = page.locator("li.project", has_text="Übung <b>1")
        expect(recent).to_contain_text(str(folder))
        with page.expect_popup() as opened:
            recent.get_by_role("button", name="in a new tab").click()
        second = opened.value
        is_in(second, "Übung <b>1")
        assert second.url == in_project
        second.get_by_test_id("console-input").click()
        second.keyboard.type("inside + 1")
        second.keyboard.press("Enter")
        expect(second.get_by_test_id("console-output")).to_contain_text("4712", timeout=PATIENCE)
        person.visit("/home")
        expect(page.locator("li.session .state", has_text="Running")).to_have_count(2, timeout=PATIENCE)
        assert person.complaints == []


def is_in_none(page: Page) -> None:
    """The page shows a session without project, and R waits."""
    expect(page.get_by_test_id("project-menu")).to_have_text("No project", timeout=PATIENCE)
    expect(page.get_by_test_id("console-prompt")).to_have_text(">", timeout=PATIENCE)


def test_a_session_that_cannot_be_suspended_is_asked_about(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        (alice.home / "p").mkdir()
        (alice.home / "p" / "p.Rproj").write_text("Version: 1.0\nProjectName: Named here\n")
        choose(page, "Open project…")
        page.get_by_test_id("project-path").fill("~/p")
        page.get_by_test_id("open-here").click()
        is_in(page, "Named here")
        choose(page, "Close project")
        is_in_none(page)
        person.type_at_prompt("Sys.sleep(600)")
        expect(page.get_by_test_id("stop-button")).to_be_enabled()
        choose(page, "Named here")
        dialog = page.get_by_test_id("dialog")
        expect(dialog).to_contain_text("cannot be suspended", timeout=PATIENCE)
        dialog.get_by_role("button", name="Let it run on").click()
        is_in(page, "Named here")
        person.visit("/home")
        expect(page.locator("li.session .state", has_text="Running")).to_have_count(2, timeout=PATIENCE)


def test_a_folder_that_is_no_project_and_one_that_is_gone(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        make_folder(alice, "plain")
        choose(page, "Open project…")
        page.get_by_test_id("project-browse").click()
        page.get_by_role("button", name="plain").click()
        expect(page.get_by_test_id("project-path")).to_have_value(str(alice.home / "plain"))
        page.get_by_test_id("open-here").click()
        expect(page.get_by_role("alert")).to_contain_text("no project file")
        page.get_by_test_id("project-create").check()
        page.get_by_test_id("open-here").click()
        is_in(page, "plain")
        # What the page itself does not see beforehand is told by the session that does not come up.
        (alice.home / "plain" / "plain.Rproj").unlink()
        person.type_at_prompt('q("no")')
        overlay = page.get_by_test_id("session-overlay")
        expect(overlay).to_be_visible(timeout=PATIENCE)
        page.get_by_test_id("overlay-start").click()
        expect(overlay).to_contain_text("There is no project file", timeout=PATIENCE)
        page.get_by_test_id("overlay-create-project").click()
        is_in(page, "plain")


def make_folder(account: Account, name: str) -> Path:
    """A folder of the account, with nothing in it."""
    folder = account.home / name
    folder.mkdir()
    folder.chmod(0o755)
    os.chown(folder, account.uid, account.gid)
    return folder


def test_the_form_works_without_script(chromium: Browser, server: RunningServer, alice: Account) -> None:
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/home")
        page.fill("[name=username]", alice.name)
        page.fill("[name=password]", alice.password)
        page.click("button[type=submit]")
        page.get_by_text("New session", exact=True).click()
        page.locator("#new-project").select_option("other")
        page.get_by_label("Folder of the project").fill("~/plain form")
        page.get_by_label("Make it a project").check()
        page.get_by_role("button", name="Start the session").click()
        page.wait_for_url(re.compile(r"/s/"))
        page.goto(f"http://127.0.0.1:{server.port}/home")
        expect(page.locator("li.session")).to_contain_text("plain form")
    finally:
        context.close()


def test_where_a_user_has_one_session_the_tab_switches(chromium: Browser, alice: Account) -> None:
    with (
        running_server(server_multiple_sessions="0") as server,
        Person(chromium, server) as person,
    ):
        person.sign_in(alice)
        page = person.page
        person.type_at_prompt("kept <- 1")
        person.wait_for_prompt()
        choose(page, "New project…")
        page.get_by_test_id("project-path").fill("~/one")
        expect(page.get_by_test_id("open-in-tab")).to_have_count(0, timeout=PATIENCE)
        page.keyboard.press("Enter")
        is_in(page, "one")
        choose(page, "Close project")
        is_in_none(page)
        person.type_at_prompt("kept + 41")
        person.sees("42")


def test_what_the_project_file_says_is_obeyed_by_the_editor(
    chromium: Browser, server: RunningServer, alice: Account
) -> None:
    folder = make_folder(alice, "editing")
    file = folder / "editing.Rproj"
    file.write_text("Version: 1.0\nFuture: kept\nUseSpacesForTab: No\n")
    os.chown(file, alice.uid, alice.gid)
    with Person(chromium, server) as person:
        person.sign_in(alice)
        page = person.page
        choose(page, "Open project…")
        page.get_by_test_id("project-path").fill("~/editing")
        page.get_by_test_id("open-here").click()
        is_in(page, "editing")
        choose(page, "Project options…")
        page.get_by_test_id("option-ProjectName").fill("Edited")
        page.get_by_test_id("option-StripTrailingWhitespace").select_option("Yes")
        page.get_by_test_id("option-AutoAppendNewline").select_option("Yes")
        page.get_by_test_id("options-save").click()
        is_in(page, "Edited")
        assert file.read_text() == (
            "Version: 1.0\nFuture: kept\nUseSpacesForTab: No\n"
            "ProjectName: Edited\nAutoAppendNewline: Yes\nStripTrailingWhitespace: Yes\n"
        )
        page.keyboard.press("Control+Alt+n")
        page.get_by_role("textbox", name=re.compile("Text of Untitled")).click()
        page.keyboard.press("Tab")
        page.keyboard.type("x   ")
        page.keyboard.press("Control+s")
        page.get_by_test_id("file-name").fill("tidy.R")
        page.get_by_test_id("file-confirm").click()
        expect(page.get_by_role("tab", name="tidy.R")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("textbox", name="Text of tidy.R")).to_have_text("x", timeout=PATIENCE)
        assert (folder / "tidy.R").read_bytes() == b"\tx\n"
        assert person.complaints == []
