"""Answers that take long: something is sent now and then, so that no proxy on the way takes the connection for dead."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rsession.http_message import Response, StreamedResponse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from rsession.http_stream import Output

QUICK_SECONDS = 5.0
BLANK_SECONDS = 10.0


def patiently(answer: "Deferred[Response]", clock: "IReactorTime") -> "Deferred[Response]":
    """The same answer when it comes soon; else one that begins at once, as blanks, which JSON may begin with."""
    quick: Deferred[Response] = Deferred(lambda _: answer.cancel())
    source = _Blanks(answer, clock)

    def came(result: Response | Failure) -> None:
        if timer.active():
            timer.cancel()
            quick.callback(result)
        else:
            source.end(result)

    def is_late() -> None:
        quick.callback(StreamedResponse(200, content_type="application/json", source=source))

    timer = clock.callLater(QUICK_SECONDS, is_late)
    answer.addBoth(came)
    return quick


class _Blanks:
    """See `http_stream.Source`."""

    def __init__(self, answer: "Deferred[Response]", clock: "IReactorTime") -> None:
        self._answer, self._clock = answer, clock
        self._output: Output | None = None
        self._timer: IDelayedCall | None = None
        self._result: Response | Failure | None = None

    def begin(self, output: "Output") -> None:
        """See `Source`."""
        self._output = output
        self._send_blank()

    def hold(self, is_full: bool) -> None:
        """See `Source`. Blanks are few, and the body is whole."""

    def stop(self) -> None:
        """See `Source`."""
        self._output = None
        self._stop_timer()
        self._answer.cancel()

    def end(self, result: "Response | Failure") -> None:
        """The answer has come."""
        self._result = result
        self._stop_timer()
        self._finish()

    def _send_blank(self) -> None:
        if self._result is not None:
            self._finish()
        elif self._output is not None:
            self._output.write(b" ")
            self._timer = self._clock.callLater(BLANK_SECONDS, self._send_blank)

    def _finish(self) -> None:
        output, self._output = self._output, None
        if output is None:
            return
        if isinstance(self._result, Response):
            output.write(self._result.body)
            output.finish()
        else:
            output.fail()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
