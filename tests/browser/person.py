"""Somebody at the keyboard in front of one browser window."""

from types import TracebackType

from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect

from tests.system.accounts import Account
from tests.system.running_server import RunningServer

PATIENCE = 20_000


class Person:
    """One window. What the page complains about (errors, violations of its policy) is in `complaints`."""

    def __init__(
        self, chromium: Browser, server: RunningServer, width: int = 1440, height: int = 900, zone: str | None = None
    ) -> None:
        size: ViewportSize = {"width": width, "height": height}
        self._context = chromium.new_context(viewport=size, ignore_https_errors=True, timezone_id=zone)
        self._server = server
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console_message)

    def __enter__(self) -> "Person":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()

    def _console_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url')}")

    def visit(self, path: str = "/") -> None:
        """Type an address."""
        self.page.goto(f"{self._server.scheme}://127.0.0.1:{self._server.port}{path}")

    def sign_in(self, account: Account) -> None:
        """Fill in the form and wait for R's prompt."""
        self.visit()
        self.page.fill("[name=username]", account.name)
        self.page.fill("[name=password]", account.password)
        self.page.click("button[type=submit]")
        self.wait_for_prompt()

    def wait_for_prompt(self, prompt: str = ">") -> None:
        """R asks with this prompt."""
        expect(self.page.get_by_test_id("console-prompt")).to_have_text(prompt, timeout=PATIENCE)

    def type_at_prompt(self, text: str) -> None:
        """Type into the console and press Enter."""
        self.page.get_by_test_id("console-input").click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def sees(self, text: str, patience: int = PATIENCE) -> None:
        """The console shows this text."""
        expect(self.page.get_by_test_id("console-output")).to_contain_text(text, timeout=patience)

    @property
    def console(self) -> str:
        """All text of the console."""
        return self.page.get_by_test_id("console-output").inner_text()
