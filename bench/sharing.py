"""Sharing a project of 1,000 files from the page: from the click on Share to the sentence that it is done, painted.

One browser, whole server, the owner's session; shared with one member and taken back, in turn. Needs root (accounts)
and Chromium.
"""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.figures import median, percentile, report, skipped, target
from tests.browser.conftest import FLAGS
from tests.browser.person import PATIENCE, Person
from tests.browser.test_projects import choose, is_in, make_project
from tests.system.accounts import Account, account
from tests.system.running_server import running_server

FILES, FOLDERS, RUNS = 1000, 50, 15

# The time of a frame that shows the outcome, counted from the click itself.
_WATCH = """() => {
  window.taken = new Promise((resolve) => {
    let clicked;
    document.querySelector('[data-testid=share-apply]').addEventListener('click', (event) => {
      clicked = event.timeStamp;
    }, { once: true, capture: true });
    const done = document.querySelector('[data-testid=share-done]');
    const observer = new MutationObserver(() => {
      if (clicked === undefined || done.textContent === '') return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - clicked)));
    });
    observer.observe(done, { childList: true, characterData: true, subtree: true });
  });
}"""


def main() -> None:
    """Print the results."""
    chromium = shutil.which("chromium")
    if os.geteuid() != 0 or chromium is None:
        skipped("sharing", "needs root and Chromium")
        return
    with account("bsa") as owner, account("bsb") as member, running_server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with Person(browser, server) as person:
            person.sign_in(owner)
            make_project(person.page, "~/bench")
            is_in(person.page, "bench")
            _fill(owner.home / "bench", owner)
            choose(person.page, "Share project…")
            pairs = [(_share(person.page, member), _take_back(person.page, member)) for _ in range(RUNS)]
        browser.close()
    shared, taken_back = ([pair[way] for pair in pairs] for way in (0, 1))
    report(
        "sharing",
        files=FILES,
        share_ms=target(median(shared), 500),
        share_p90_ms=percentile(shared, 0.9),
        take_back_ms=target(median(taken_back), 500),
        take_back_p90_ms=percentile(taken_back, 0.9),
    )


def _fill(top: Path, owner: Account) -> None:
    for number in range(FILES):
        folder = top / f"d{number % FOLDERS}"
        if not folder.exists():
            folder.mkdir()
            os.chown(folder, owner.uid, owner.gid)
        (folder / f"f{number}.R").write_text("x <- 1\n")
        os.chown(folder / f"f{number}.R", owner.uid, owner.gid)


def _share(page: Page, member: Account) -> float:
    page.get_by_test_id("person").fill(member.name)
    page.get_by_test_id("person-add").click()
    return _apply(page)


def _take_back(page: Page, member: Account) -> float:
    page.get_by_test_id(f"person-{member.name}").get_by_role("button").click()
    return _apply(page)


def _apply(page: Page) -> float:
    """Milliseconds."""
    expect(page.get_by_test_id("share-apply")).to_be_enabled(timeout=PATIENCE)
    page.evaluate(_WATCH)
    page.get_by_test_id("share-apply").click()
    return float(page.evaluate("() => window.taken"))


if __name__ == "__main__":
    main()
