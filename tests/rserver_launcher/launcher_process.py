"""A real launcher as a child, spoken to like the master does."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rserver_core.frame import FrameReader, Message, encode, greeting

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-I", "-S", str(ROOT / "rserver_launcher" / "__main__.py")]
DEADLINE = 20.0


class LauncherProcess:
    """The master's end."""

    def __init__(self, options: dict[str, Any], **env: str) -> None:
        self._sock, theirs = socket.socketpair()
        self._sock.settimeout(DEADLINE)
        pid = os.fork()
        if pid == 0:
            os.dup2(theirs.fileno(), 3)
            os.execve(PROGRAM[0], PROGRAM, {"PATH": "/usr/bin:/bin", **env})
        self.pid = pid
        theirs.close()
        self._reader = FrameReader()
        self._messages: list[Message] = []
        self._last_id = 0
        self.send(greeting("master", options=options))
        self.greeting = self.receive(lambda message: "role" in message)

    def send(self, message: Message) -> None:
        """One message."""
        self._sock.sendall(encode(message))

    def send_bytes(self, data: bytes) -> None:
        """What may be no message."""
        self._sock.sendall(data)

    def receive(self, wanted: Callable[[Message], bool]) -> Message:
        """The first message that fits; those before it stay."""
        while True:
            for number, message in enumerate(self._messages):
                if wanted(message):
                    return self._messages.pop(number)
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError("the launcher closed its channel")
            self._messages += self._reader.feed(data)

    def request(self, **fields: Any) -> Message:
        """The answer to a request."""
        self._last_id += 1
        number = self._last_id
        self.send({"id": number, **fields})
        return self.receive(lambda message: message.get("id") == number)

    def launch(self, user: str, session: str, *argv: str, **env: str) -> Message:
        """The answer to a launch."""
        spec = {"session": session, "user": user, "argv": list(argv), "env": env}
        return self.request(op="launch", launch=spec)

    def event(self, name: str, session: str) -> Message:
        """An event, when it comes."""

        def fits(message: Message) -> bool:
            of = message.get("session")
            return message.get("event") == name and (of["session"] if isinstance(of, dict) else of) == session

        return self.receive(fits)

    def close(self) -> int:
        """Close the channel; the launcher's exit code."""
        self._sock.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def launcher(options: dict[str, Any], **env: str) -> Iterator[LauncherProcess]:
    """A launcher that is ended afterwards, with the sessions it knows of."""
    process = LauncherProcess(options, **env)
    try:
        yield process
        for record in process.request(op="list")["sessions"]:
            process.request(op="signal", session=record["session"], signal="KILL")
            process.event("exited", record["session"])
    finally:
        process.close()
