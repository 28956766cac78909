"""What the administrator tells everybody, on the page with all sessions and for pages that ask."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from tests.rserver.web.house import House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("RSTUDIO_CONFIG_DIR", str(tmp_path))
    made = House(tmp_path)
    (tmp_path / "notifications.conf").write_text(
        "EndTime: 2100-01-01\nMessage: Down at <six>.\n\nEndTime: 2001-01-01\nMessage: Old.\n"
    )
    Deferred.fromCoroutine(made.worker.pages.notifications.look())
    return made


def test_whoever_is_signed_in_gets_those_whose_time_is_now(house: House) -> None:
    status, answer = house.browse("alice").json("GET", "/api/notifications")
    (shown,) = answer["notifications"]
    assert (status, shown["message"], shown["ends"]) == (200, "Down at <six>.", shown["ends"])
    assert house.browse().get("/api/notifications").status == 401


def test_the_page_shows_them_as_text(house: House) -> None:
    page = house.browse("alice").get("/home").body.decode()
    assert "Down at &lt;six&gt;." in page
    assert "Old." not in page
