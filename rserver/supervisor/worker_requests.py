"""What the worker may ask of the master: four operations, nothing else."""

from collections.abc import Callable
from typing import Any, Protocol

from rserver_core.frame import Message
from rserver_core.launch_wire import BadRequest, LaunchSpec, session_of, signal_of

MAX_OPEN = 512

Done = Callable[[Message], None]


class SessionHost(Protocol):
    """Who starts sessions for the master: the launcher, or the master's own keepers."""

    def launch(self, spec: LaunchSpec, done: Done) -> None:
        """done gets {"session": record} or {"error": …}."""

    def signal(self, session: str, name: str, done: Done) -> None:
        """done gets {"ok": true} or {"error": …}."""

    def list(self, done: Done) -> None:
        """done gets {"sessions": [record …]} or {"error": …}."""


class PasswordCheck(Protocol):
    """Checks one password."""

    def __call__(self, message: dict[str, Any], done: Done) -> None:
        """done gets {"exit", "reason"} or {"error": …}."""


class WorkerRequests:
    """Takes the worker's messages and answers each with its id through reply; one instance per worker process."""

    def __init__(self, host: SessionHost, check_password: PasswordCheck, reply: Done) -> None:
        self._reply: Done | None = reply
        self._open = 0
        self._operations: dict[str, Callable[[dict[str, Any], Done], None]] = {
            "check_password": check_password,
            "launch": lambda message, done: host.launch(LaunchSpec.from_json(message.get("launch")), done),
            "signal": lambda message, done: host.signal(session_of(message), signal_of(message), done),
            "list": lambda _message, done: host.list(done),
        }

    def received(self, message: Message) -> None:
        """Serve one message."""
        number = message.get("id")
        if not isinstance(number, int):
            return
        operation = self._operations.get(str(message.get("op")))
        if operation is None:
            self._refuse(number, "bad_request", "op is none of this protocol")
        elif self._open >= MAX_OPEN:
            self._refuse(number, "busy", f"{MAX_OPEN} requests are open")
        else:
            self._serve(number, operation, message)

    def close(self) -> None:
        """The worker is gone: nothing is answered any more."""
        self._reply = None

    def _serve(self, number: int, operation: Callable[[dict[str, Any], Done], None], message: Message) -> None:
        self._open += 1

        def answer(fields: Message) -> None:
            self._open -= 1
            self._send({**fields, "id": number})

        try:
            operation(message, answer)
        except BadRequest as error:
            self._open -= 1
            self._refuse(number, "bad_request", str(error))

    def _refuse(self, number: int, code: str, text: str) -> None:
        self._send({"id": number, "error": {"code": code, "message": text}})

    def _send(self, message: Message) -> None:
        if self._reply:
            self._reply(message)
