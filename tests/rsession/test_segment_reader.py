"""When the reactor takes what R has queued."""

from twisted.internet.task import Clock

from rsession.segment_reader import COALESCE_SECONDS, FIRST_SECONDS, RETRY_SECONDS, Segment, SegmentReader


class Queue:
    """Segments as the shim would give them, one a drain."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.urgent = 0

    def pending(self) -> tuple[int, int]:
        return len(self.segments), self.urgent

    def drain(self, limit: int, /) -> tuple[list[Segment], int]:
        taken, self.segments = self.segments[:1], self.segments[1:]
        return taken, len(self.segments)


class Desk:
    """A reader with everything it needs."""

    def __init__(self) -> None:
        self.queue, self.clock = Queue(), Clock()
        self.must_wait = False
        self.taken: list[Segment] = []
        self.reader = SegmentReader(self.queue, self.clock, lambda: self.must_wait, self.taken.extend)

    def put(self, urgent: bool) -> None:
        self.queue.segments.append((0, 0, b"x", b""))
        self.queue.urgent = int(urgent)
        self.reader.ring()


def test_a_prompt_is_taken_at_once() -> None:
    desk = Desk()
    desk.put(urgent=True)
    assert len(desk.taken) == 1


def test_first_output_waits_for_its_line() -> None:
    desk = Desk()
    desk.put(urgent=False)
    assert desk.taken == []
    desk.clock.advance(FIRST_SECONDS)
    assert len(desk.taken) == 1


def test_a_stream_of_output_is_taken_in_steps() -> None:
    desk = Desk()
    desk.put(urgent=True)
    desk.put(urgent=False)
    desk.clock.advance(COALESCE_SECONDS / 2)
    assert len(desk.taken) == 1
    desk.clock.advance(COALESCE_SECONDS)
    assert len(desk.taken) == 2


def test_what_is_left_is_taken_in_the_next_turns() -> None:
    desk = Desk()
    desk.queue.segments = [(0, 0, b"x", b"")] * 3
    desk.put(urgent=True)
    for _ in range(3):
        desk.clock.advance(0)
    assert len(desk.taken) == 4
    assert desk.clock.getDelayedCalls() == []


def test_nothing_is_taken_while_r_must_wait() -> None:
    desk = Desk()
    desk.must_wait = True
    desk.put(urgent=True)
    desk.clock.advance(RETRY_SECONDS / 2)
    assert desk.taken == []
    desk.must_wait = False
    desk.reader.resume()
    desk.clock.advance(0)
    assert len(desk.taken) == 1
