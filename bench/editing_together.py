"""Twenty browsers' worth of editors on one file: from a keystroke in one to the text in the others, through the server.

Nineteen editors are WebSocket clients with Yjs documents that type; two pages in Chromium measure: a key is pressed in
one, the other's screen has painted it. Needs root (accounts) and Chromium.
"""

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.figures import median, percentile, report, skipped, target
from tests.browser.conftest import FLAGS
from tests.browser.person import Person
from tests.filebase.socket_member import SocketMember
from tests.system.accounts import account
from tests.system.running_server import running_server
from tests.system.test_collaborative_editing import Editor, shared_project

EDITORS = 20
KEYS = 200
LARGE = "x <- 1 # hello world, this is a line\n" * 28_400

_WATCH = """() => {
  const editor = document.querySelector('[data-testid=editor] .cm-content');
  window.painted = [];
  let count = (editor.textContent.match(/§/g) ?? []).length;
  new MutationObserver(() => {
    const now = (editor.textContent.match(/§/g) ?? []).length;
    for (; count < now; count += 1) {
      requestAnimationFrame(() => { window.painted.push(performance.timeOrigin + performance.now()); });
    }
    count = now;
  }).observe(editor, { childList: true, subtree: true, characterData: true });
}"""
_PRESSED = """() => {
  window.pressed = [];
  document.addEventListener('keydown', (event) => {
    if (event.key === '§') window.pressed.push(performance.timeOrigin + event.timeStamp);
  }, true);
}"""


def main() -> None:
    """Print the results."""
    chromium = shutil.which("chromium")
    if os.geteuid() != 0 or chromium is None:
        skipped("editing_together", "needs root and Chromium")
        return
    with account("bca") as alice, account("bcb") as bob, running_server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        folder = shared_project(alice, bob, "bench")
        editors = [Editor(server, each, folder) for each in (alice, bob)]
        with Person(browser, server) as one, Person(browser, server) as two:
            for person, editor in zip((one, two), editors, strict=True):
                person.sign_in(editor.account)
                person.visit(editor.visitor.session_path)
                person.wait_for_prompt()
            one.page.wait_for_selector(".together-person")
            two.page.wait_for_selector(".together-person")
            keeper = editors[0].server_of_text()
            others = [_join(server.port, editors[number % 2], keeper) for number in range(EDITORS - 2)]
            quiet = _latencies(one.page, two.page)
            stop = threading.Event()
            typist = threading.Thread(target=_type, args=(others, stop))
            typist.start()
            busy = _latencies(one.page, two.page)
            stop.set()
            typist.join()
            _report(quiet, busy, _filebase_mib())
            for member in others:
                member.close()
        _measure_large(server.port, editors)
        browser.close()


def _measure_large(port: int, editors: list[Editor]) -> None:
    """From the connection of a page to the whole text in its document, 1 MiB."""
    path = editors[0].folder / "large.R"
    path.write_text(LARGE)
    shutil.chown(path, editors[0].account.name, editors[0].account.name)
    documents = []
    for editor in editors:
        editor.visitor.init()
        documents.append(editor.visitor.rpc("open_document", str(path))["id"])
    keeper = ""
    while not keeper:
        time.sleep(0.2)
        shared = editors[0].visitor.init()["collab"]
        keeper = next((each["server"] for each in shared if each["id"] == documents[0]), "")
    times = []
    for _ in range(10):
        begin = time.perf_counter()
        address = f"{editors[1].visitor.session_path}collab/{keeper}"
        member = SocketMember(port, address, editors[1].account.name, editors[1].headers)
        member.until(lambda page: len(page.text) >= len(LARGE))
        times.append((time.perf_counter() - begin) * 1000)
        member.close()
    report(
        "editing_together_large",
        bytes=len(LARGE),
        open_ms=target(median(times), 300),
        filebase_mib=target(_filebase_mib(), 40),
    )


def _join(port: int, editor: Editor, keeper: str) -> SocketMember:
    path = f"{editor.visitor.session_path}collab/{keeper}"
    member = SocketMember(port, path, editor.account.name, editor.headers)
    member.until(lambda page: page.ready and "four" in str(page))
    return member


def _type(members: list[SocketMember], stop: threading.Event) -> None:
    """Everybody types four keys a second, one after the other."""
    turn = 0
    while not stop.wait(0.25 / len(members)):
        members[turn % len(members)].do(lambda page: page.edit(0, 0, "a"))
        turn += 1


def _latencies(typing: Page, watching: Page) -> list[float]:
    """Milliseconds from the press to the frame in which the other page shows it."""
    watching.evaluate(_WATCH)
    typing.evaluate(_PRESSED)
    typing.locator("[data-testid=editor] .cm-content").click()
    typing.keyboard.press("Control+End")
    for _ in range(KEYS):
        typing.evaluate(
            "() => { const key = new KeyboardEvent('keydown', { key: '§', bubbles: true });"
            " document.activeElement.dispatchEvent(key); document.execCommand('insertText', false, '§'); }"
        )
        time.sleep(0.04)
    watching.wait_for_function(f"() => window.painted.length >= {KEYS}")
    pressed: list[float] = typing.evaluate("() => window.pressed")
    painted: list[float] = watching.evaluate("() => window.painted")
    return [after - before for before, after in zip(pressed, painted, strict=False)]


def _report(quiet: list[float], busy: list[float], memory: float) -> None:
    figures: dict[str, Any] = {}
    for name, values in (("quiet", quiet), ("twenty_type", busy)):
        figures[f"{name}_p50_ms"] = target(median(values), 30)
        figures[f"{name}_p99_ms"] = target(percentile(values, 0.99), 100)
    report("editing_together", editors=EDITORS, keys=KEYS, **figures, filebase_mib=target(memory, 40))


def _filebase_mib() -> float:
    """The largest filebase that runs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text() == "filebase\n":
                rollup = (folder / "smaps_rollup").read_text()
                found.append(
                    int(next(line for line in rollup.splitlines() if line.startswith("Rss:")).split()[1]) / 1024
                )
        except (OSError, StopIteration):
            continue
    return round(max(found, default=0.0), 1)


if __name__ == "__main__":
    main()
