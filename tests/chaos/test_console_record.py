"""The oracle for console lines."""

from tests.chaos.console_record import ConsoleRecord, lines_of, order_complaint


def _shown(*lines: int) -> str:
    return "".join(f"<L{line}>\n" for line in lines)


def _record() -> ConsoleRecord:
    record = ConsoleRecord()
    record.deliver([1, 2])
    record.keep(record.snapshot())
    record.deliver([3, 4])
    return record


def test_only_whole_lines_count() -> None:
    assert lines_of("<L1>\n<L2>\nother\n<L3") == [1, 2]


def test_a_line_that_comes_twice_or_too_late_is_told() -> None:
    assert order_complaint([1, 2, 3]) is None
    assert order_complaint([1, 2, 2]) is not None
    assert order_complaint([1, 3, 2]) is not None


def test_the_same_process_shows_every_delivered_line() -> None:
    assert _record().judge(_shown(1, 2, 3, 4, 5), same_process=True) is None
    assert _record().judge(_shown(1, 2, 3), same_process=True) is not None
    assert _record().judge(_shown(1, 2, 4, 3), same_process=True) is not None


def test_another_process_shows_those_that_were_kept() -> None:
    assert _record().judge(_shown(1, 2), same_process=False) is None
    assert _record().judge(_shown(2, 3, 4), same_process=False) is not None


def test_a_long_console_may_have_forgotten_the_oldest() -> None:
    record = _record()
    assert record.judge("x\n" * 1000 + _shown(2, 3, 4), same_process=True) is None


def test_a_session_that_was_ended_owes_nothing() -> None:
    record = _record()
    record.forget()
    assert record.judge("", same_process=False) is None
