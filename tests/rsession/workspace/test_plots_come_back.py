"""What is on the graphics device is there after a resume, so that code goes on drawing on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import messages, resume

pytestmark = pytest.mark.r


@pytest.fixture
def session() -> Iterator[RunningSession]:
    with RunningSession() as session:
        yield session


def begin(session: RunningSession) -> EventStream:
    stream = ready(session)
    session.call("set_plot_size", 500, 400, 1)
    return stream


def plots(session: RunningSession) -> list[Any]:
    """Those of the history; jobs run in order, so that the look at the device is over."""
    session.call("get_environment_state")
    return list(session.call("get_plots")["plots"])


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
def test_lines_are_added_to_the_plot_that_is_shown(session: RunningSession, at_once: bool) -> None:
    stream = begin(session)
    evaluate(session, stream, "plot(1:10); usr <- par('usr')")
    (before,) = plots(session)
    stream = resume(session, stream)
    if not at_once:
        stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0)
    evaluate(session, stream, "lines(10:1)")
    assert stream.text("console_write_error") == ""
    assert plots(session) == [{"id": before["id"], "revision": before["revision"] + 1}]
    assert evaluate(session, stream, "identical(par('usr'), usr)") == "[1] TRUE\n"
    evaluate(session, stream, "plot(3)")
    assert len(plots(session)) == 2


def test_panels_are_filled_one_after_the_other(session: RunningSession) -> None:
    stream = begin(session)
    evaluate(session, stream, "par(mfrow = c(1, 2), mar = c(2, 2, 2, 2)); plot(1)")
    assert len(plots(session)) == 1
    stream = resume(session, stream)
    evaluate(session, stream, "plot(2)")
    assert len(plots(session)) == 1
    told = "cat(par('mfrow'), par('mfg'), par('mar'))"
    assert evaluate(session, stream, told) == "1 2 1 2 1 2 2 2 2 2"


def test_settings_for_a_plot_that_was_not_drawn_yet(session: RunningSession) -> None:
    stream = begin(session)
    evaluate(session, stream, "par(mfrow = c(2, 2), las = 1)")
    stream = resume(session, stream)
    assert evaluate(session, stream, "cat(par('mfrow'), par('las'), dev.cur())") == "2 2 1 2"
    assert plots(session) == []
    evaluate(session, stream, "plot(1); par(las = 2)")
    stream = resume(session, resume(session, stream))
    assert evaluate(session, stream, "cat(par('mfrow'), par('las'))") == "2 2 2"
    assert len(plots(session)) == 1


def test_a_device_that_was_closed_stays_closed(session: RunningSession) -> None:
    stream = begin(session)
    evaluate(session, stream, "plot(1)")
    evaluate(session, stream, "invisible(dev.off())")
    stream = resume(session, stream)
    stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0)
    session.call("get_environment_state")
    assert evaluate(session, stream, "is.null(dev.list())") == "[1] TRUE\n"
    assert len(plots(session)) == 1


def test_a_drawing_that_does_not_fit_the_page_is_there_all_the_same(session: RunningSession) -> None:
    stream = begin(session)
    session.call("set_plot_size", 3000, 2000, 1)
    evaluate(session, stream, "par(mfrow = c(8, 8)); plot(1)")
    stream = resume(session, stream)
    evaluate(session, stream, "lines(1); plot(2)")
    assert stream.text("console_write_error") == ""
    assert len(plots(session)) == 1


def test_random_numbers_do_not_notice(session: RunningSession) -> None:
    stream = begin(session)
    evaluate(session, stream, "plot(1); set.seed(5)")
    stream = resume(session, stream)
    assert evaluate(session, stream, "lines(1); x <- runif(1); set.seed(5); x == runif(1)") == "[1] TRUE\n"


def test_what_else_r_knows_is_set_again_or_named(session: RunningSession) -> None:
    stream = begin(session)
    evaluate(
        session, stream, "invisible(Sys.umask('077')); addTaskCallback(function(...) TRUE, name = 'mine'); pdf('a.pdf')"
    )
    stream = resume(session, stream)
    assert evaluate(session, stream, "Sys.umask()") == '[1] "77"\n'
    told = messages(stream)
    assert "These task callbacks are not kept, call addTaskCallback() again: mine." in told
    assert "These graphics devices were closed: pdf." in told
    assert not any("rsession" in text for text in told)
