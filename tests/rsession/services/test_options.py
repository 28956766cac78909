import pytest

from tests.rsession.services.conftest import Desk

pytestmark = pytest.mark.r


def test_help_is_text_in_the_console(desk: Desk) -> None:
    text = desk.run("?nchar")
    assert "Count the Number of Characters" in text
    assert "\b" not in text


def test_a_page_to_show_is_a_message(desk: Desk) -> None:
    desk.session.type('browseURL("https://example.org/")')
    event = desk.events.wait_for_type("show_message")
    url = "https://example.org/"
    assert event["data"] == {"kind": "info", "text": f"R wants to show this page: {url}", "url": url}


def test_editing_in_the_console_is_refused_instead_of_hanging(desk: Desk) -> None:
    desk.events.wait_for_prompt()
    since = desk.events.seen[-1]["id"]
    desk.run("edit(function() 1)")
    assert "no editor in the console" in desk.events.text("console_write_error", since)


def test_files_are_shown_in_the_console(desk: Desk) -> None:
    assert desk.run('f <- tempfile(); writeLines(c("one", "two"), f); file.show(f, header = "Head")') == (
        "Head\n\none\ntwo\n\n"
    )
