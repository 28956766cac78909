from dataclasses import dataclass, field

import pytest

from rserver.sign_in.cookie_life import CookieLife
from rserver.sign_in.cookies import CookieSigner
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.set_cookie import CookieStyle

HOUR = 3600


@dataclass
class Browser:
    """A cookie jar in front of credentials, with a clock that can be turned."""

    life: CookieLife = field(default_factory=CookieLife)
    time: float = 1_700_000_000.0
    jar: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.credentials = Credentials(CookieSigner([b"k" * 32]), self.life, CookieStyle(), now=lambda: self.time)

    def keep(self, header: str) -> None:
        name, _, value = header.partition(";")[0].partition("=")
        self.jar[name] = value

    def sign_in(self, *, stay: bool = False) -> str:
        header = self.credentials.issue("alice", 1001, stay=stay, secure=False, root_path="")
        self.keep(header)
        return header

    def user(self) -> str | None:
        ticket = self.credentials.check(self.jar)
        return ticket.user if ticket else None

    def use(self) -> bool:
        """A foreground request; True when the cookie was renewed."""
        ticket = self.credentials.check(self.jar)
        assert ticket
        renewed = self.credentials.renewed(ticket, secure=False, root_path="")
        for header in renewed:
            self.keep(header)
        return bool(renewed)


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_a_sign_in_ends_after_an_idle_hour(browser: Browser) -> None:
    browser.sign_in()
    browser.time += HOUR - 1
    assert browser.user() == "alice"
    browser.time += 2
    assert browser.user() is None


def test_use_prolongs_it(browser: Browser) -> None:
    browser.sign_in()
    for _ in range(5):
        browser.time += HOUR - 10
        assert browser.use()
    assert browser.user() == "alice"


def test_it_is_renewed_at_most_every_thirty_seconds(browser: Browser) -> None:
    browser.sign_in()
    browser.time += 29
    assert not browser.use()
    browser.time += 2
    assert browser.use()


def test_who_asked_to_stay_stays_for_thirty_days_without_sliding(browser: Browser) -> None:
    assert "Max-Age=2592000" in browser.sign_in(stay=True)
    browser.time += 30 * 24 * HOUR - 5
    assert browser.user() == "alice"
    assert not browser.use()
    browser.time += 6
    assert browser.user() is None


def test_without_idle_life_a_sign_in_lasts_for_its_days_and_does_not_slide() -> None:
    browser = Browser(CookieLife(timeout_minutes=0, stay_days=1))
    assert "Max-Age" not in browser.sign_in()
    browser.time += 23 * HOUR
    assert not browser.use()
    browser.time += HOUR
    assert browser.user() is None


def test_a_session_cookie_ends_with_the_browser(browser: Browser) -> None:
    assert "Max-Age" not in browser.sign_in()


def test_signing_out_kills_every_copy_at_once(browser: Browser) -> None:
    browser.sign_in()
    copy = dict(browser.jar)
    browser.time += 40
    browser.use()
    browser.credentials.revoke("alice")
    assert browser.user() is None
    assert browser.credentials.check(copy) is None
    browser.sign_in()
    assert browser.user() == "alice"
    assert browser.credentials.check(copy) is None


def test_signing_in_works_after_the_clock_went_back(browser: Browser) -> None:
    browser.sign_in()
    copy = dict(browser.jar)
    browser.credentials.revoke("alice")
    browser.time -= 600
    browser.sign_in()
    assert browser.user() == "alice"
    assert browser.credentials.check(copy) is None


def test_others_stay_signed_in(browser: Browser) -> None:
    browser.sign_in()
    browser.credentials.revoke("bob")
    assert browser.user() == "alice"
