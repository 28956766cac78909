"""The end of the console, bounded by lines and characters."""

from rsession.scrollback import Scrollback


def text(scrollback: Scrollback) -> str:
    return "".join(action["text"] for action in scrollback.actions())


def test_types_stay_apart_and_neighbours_join() -> None:
    scrollback = Scrollback()
    scrollback.add("input", "> 1\n")
    scrollback.add("output", "[1]")
    scrollback.add("output", " 1\n")
    assert scrollback.actions() == [{"type": "input", "text": "> 1\n"}, {"type": "output", "text": "[1] 1\n"}]


def test_old_lines_are_forgotten_one_by_one() -> None:
    scrollback = Scrollback(lines=3)
    for number in range(10):
        scrollback.add("output", f"{number}\n")
    assert text(scrollback) == "7\n8\n9\n"


def test_lines_are_forgotten_across_types() -> None:
    scrollback = Scrollback(lines=3)
    for number in range(10):
        scrollback.add("error" if number % 2 else "output", f"{number}\n")
    assert text(scrollback) == "7\n8\n9\n"


def test_a_flood_in_one_piece_keeps_its_end() -> None:
    scrollback = Scrollback(lines=1000)
    scrollback.add("output", "".join(f"{number}\n" for number in range(100_000)))
    assert text(scrollback).startswith("99000\n")


def test_a_line_without_end_is_cut() -> None:
    scrollback = Scrollback(characters=1000)
    for _ in range(10):
        scrollback.add("output", "x" * 5000)
    assert len(text(scrollback)) <= 1000


def test_what_an_earlier_process_wrote_is_counted_apart() -> None:
    scrollback = Scrollback(lines=3)
    scrollback.add("output", "1\n2\n")
    scrollback.seal()
    scrollback.add("output", "3\n")
    assert (len(scrollback.actions()), scrollback.earlier) == (2, 1)
    scrollback.add("input", "4\n")
    assert (scrollback.actions()[0]["text"], scrollback.earlier) == ("2\n", 1)
    scrollback.add("input", "5\n6\n")
    assert scrollback.earlier == 0
