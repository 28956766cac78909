"""The console's state, without R."""

import json
from typing import Any

import pytest

from rsession.console import Console
from rsession.error_code import RpcError
from rsession.event_log import EventLog


class Lines:
    """The shim's queue of lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.given = self.batches = 0

    def submit(self, line: bytes, /) -> int:
        self.lines.append(line)
        return len(self.lines) + self.given

    def submit_batch(self, lines: list[bytes], /) -> tuple[int, int]:
        self.batches += 1
        return self.batches, [self.submit(line) for line in lines][-1]

    def clear_input(self) -> None:
        self.lines.clear()

    def input_backlog(self) -> tuple[int, int]:
        return len(self.lines), sum(map(len, self.lines))


class Desk:
    """A console whose interrupts are counted."""

    def __init__(self) -> None:
        self.queue, self.log = Lines(), EventLog()
        self.interrupts = 0
        self.console = Console(self.queue, self.log, self._interrupt)

    def _interrupt(self) -> None:
        self.interrupts += 1

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(event) for event in self.log.read(0, 1 << 30)[0]]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("1", [b"1\n"]),
        ("1\n", [b"1\n"]),
        ("", [b"\n"]),
        ("a\nb", [b"a\n", b"b\n"]),
        ("a\r\nb\r\n", [b"a\n", b"b\n"]),
        ("a\n\n", [b"a\n", b"\n"]),
        ("é", ["é\n".encode()]),
    ],
)
def test_text_is_split_into_lines(text: str, lines: list[bytes]) -> None:
    desk = Desk()
    desk.console.input(text, "")
    assert desk.queue.lines == lines


def test_the_echo_names_who_typed() -> None:
    desk = Desk()
    desk.console.input("a\nb", "me")
    desk.console.input("c", "you")
    desk.console.read_input(3, True, "> ", "c\n")
    assert desk.events()[0]["data"] == {"text": "> c\n", "console_id": "you"}


def test_a_character_cut_in_two_is_whole_again() -> None:
    desk = Desk()
    data = "ä".encode()
    desk.console.read_text(data[:1], False)
    desk.console.read_text(data[1:], False)
    assert [event["data"]["text"] for event in desk.events()] == ["ä"]


def test_bytes_that_are_no_text_do_no_harm() -> None:
    desk = Desk()
    desk.console.read_text(b"a\xffb", True)
    assert desk.events()[0]["data"]["text"] == "a\ufffdb"


def test_stop_in_the_browser_types_q() -> None:
    desk = Desk()
    desk.console.read_prompt("Browse[2]> ", True)
    desk.console.interrupt()
    assert desk.queue.lines == [b"Q\n"]
    assert desk.interrupts == 0


def test_stop_elsewhere_forgets_lines_and_interrupts() -> None:
    desk = Desk()
    desk.console.read_prompt("> ", True)
    desk.console.input("a\nb", "")
    desk.console.interrupt()
    assert desk.queue.lines == []
    assert desk.interrupts == 1


def test_too_much_input_is_refused_whole() -> None:
    desk = Desk()
    desk.console.input("x\n" * 99_999, "")
    with pytest.raises(RpcError):
        desk.console.input("1\n2", "")
    assert len(desk.queue.lines) == 99_999


@pytest.mark.parametrize(
    ("prompt", "is_history", "is_idle"), [("> ", True, True), ("name? ", False, False), ("Browse[1]> ", True, False)]
)
def test_idle_at_top_means_a_prompt_with_history(prompt: str, is_history: bool, is_idle: bool) -> None:
    desk = Desk()
    desk.console.read_prompt(prompt, is_history)
    assert desk.console.is_idle_at_top == is_idle


def test_nothing_is_idle_while_busy_or_with_lines_waiting() -> None:
    desk = Desk()
    assert not desk.console.is_idle_at_top
    desk.console.read_prompt("> ", True)
    desk.console.input("1", "")
    assert not desk.console.is_idle_at_top
