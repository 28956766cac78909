import pytest

from rsession.timeouts.policy import Action, Limits, Seen, duration, idle_end, kill

HOUR = 3600.0
LIMITS = Limits(idle=2 * HOUR, warning=120.0)


def seen(touched: float = 0.0, worked: float = 0.0, left: float | None = None) -> Seen:
    return Seen(10.0, touched, worked, left)


def test_idle_counts_from_the_last_interaction_or_the_end_of_work() -> None:
    for moments in (seen(touched=100.0), seen(touched=50.0, worked=100.0)):
        end = idle_end(LIMITS, moments)
        assert end is not None
        assert (end.action, end.at, end.warn_at) == (Action.SUSPEND, 100.0 + 2 * HOUR, 100.0 + 2 * HOUR - 120.0)
        assert end.reason == "Nobody used it for 2 hours."


def test_an_open_page_alone_keeps_nothing() -> None:
    with_page, without = idle_end(LIMITS, seen(left=None)), idle_end(LIMITS, seen(left=5.0))
    assert with_page == without


def test_without_any_page_another_time_may_count() -> None:
    limits = Limits(idle=2 * HOUR, disconnected=HOUR)
    away = idle_end(limits, seen(touched=1.0, left=600.0))
    assert away is not None
    assert (away.at, away.reason) == (600.0 + HOUR, "No page was open for 1 hour.")
    there = idle_end(limits, seen(touched=1.0))
    assert there is not None
    assert there.at == 1.0 + 2 * HOUR


def test_work_without_a_page_is_no_absence_yet() -> None:
    end = idle_end(Limits(disconnected=HOUR), seen(worked=900.0, left=0.0))
    assert end is not None
    assert end.at == 900.0 + HOUR


def test_quitting_instead() -> None:
    end = idle_end(Limits(idle=HOUR, suspends=False), seen())
    assert end is not None
    assert (end.action, end.rule) == (Action.QUIT, "Sessions that nobody uses for 1 hour are ended.")


def test_the_kill_counts_interactions_alone() -> None:
    end = kill(Limits(kill=8 * HOUR, warning=60.0), seen(touched=5.0, worked=7 * HOUR))
    assert end is not None
    assert (end.action, end.at, end.warn_at) == (Action.KILL, 5.0 + 8 * HOUR, 5.0 + 8 * HOUR - 300.0)


def test_never() -> None:
    assert idle_end(Limits(), seen(left=0.0)) is None
    assert kill(Limits(idle=HOUR), seen()) is None


def test_a_warning_takes_at_most_half_of_the_time() -> None:
    end = idle_end(Limits(idle=60.0, warning=120.0), seen())
    assert end is not None
    assert end.warn_at == 30.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (7200, "2 hours"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (0.5, "0.5 seconds"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
