"""Bodies that are too large to be held whole: taken, or made, piece by piece at the speed of the slower side."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rsession.http_message import Response


class Sender(Protocol):
    """Who sends a body to us."""

    def hold(self, is_full: bool) -> None:
        """Send no more until told otherwise."""


class Receiver(Protocol):
    """Takes the body of one request. A Refusal ends the request with that answer, and the connection."""

    def data(self, data: bytes) -> None:
        """The next bytes."""

    def end(self) -> "Response | Deferred[Response]":
        """The body is complete: the answer."""

    def lost(self) -> None:
        """The rest of the body will not come."""


class Output(Protocol):
    """Where the body of an answer goes."""

    def write(self, data: bytes) -> None:
        """The next bytes."""

    def finish(self) -> None:
        """That was all."""

    def fail(self) -> None:
        """The rest cannot be had: the connection is broken off, so that nobody takes the part for the whole."""


class Source(Protocol):
    """Makes the body of one answer."""

    def begin(self, output: Output) -> None:
        """Write it; called once."""

    def hold(self, is_full: bool) -> None:
        """Write no more until told otherwise."""

    def stop(self) -> None:
        """Nobody wants it any more; called at most once, never after finish or fail."""
