"""Serves the requests of one channel: a fixed table of operations, each request answered once under its id."""

from collections.abc import Callable, Mapping
from typing import Any

from rserver_core.frame import FrameError, Message
from rserver_core.launch_wire import BadRequest

MAX_OPEN = 512

Done = Callable[[Message], None]
Operation = Callable[[dict[str, Any], Done], None]


class Requests:
    """Takes messages and answers each through reply; an operation calls its Done once, now or later.

    A refusal is `{"error": {"code", "message"}}`: bad_request for what BadRequest names, busy when MAX_OPEN are open.
    """

    def __init__(self, operations: Mapping[str, Operation], reply: Done) -> None:
        self._operations = operations
        self._reply: Done | None = reply
        self._open = 0

    def received(self, message: Message) -> None:
        """Serve one message; FrameError when it is no request at all."""
        number = message.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise FrameError("a request without an id")
        operation = self._operations.get(str(message.get("op")))
        if operation is None:
            self._send(number, refusal("bad_request", f"op is none of {', '.join(self._operations)}"))
        elif self._open >= MAX_OPEN:
            self._send(number, refusal("busy", f"{MAX_OPEN} requests are open"))
        else:
            self._serve(number, operation, message)

    def close(self) -> None:
        """Whoever asked is gone: nothing is answered any more."""
        self._reply = None

    def _serve(self, number: int, operation: Operation, message: Message) -> None:
        self._open += 1

        def answer(fields: Message) -> None:
            self._open -= 1
            self._send(number, fields)

        try:
            operation(message, answer)
        except BadRequest as error:
            answer(refusal("bad_request", str(error)))

    def _send(self, number: int, fields: Message) -> None:
        if self._reply:
            self._reply({**fields, "id": number})


def refusal(code: str, message: str, **more: Any) -> Message:
    """The answer to a request that is not carried out."""
    return {"error": {"code": code, "message": message, **more}}
