"""A real worker process on a free port; the test plays its master: the real frames on a real socketpair."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rserver_core.frame import FrameReader, Message, encode, greeting
from tests.rserver.doubles import record

ROOT = Path(__file__).resolve().parents[2]
KEY = "61" * 32
PASSWORD = "right horse"
SECONDS = 20.0
_PONG = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

Reply = Callable[[Message], Message | None]


class PlayedMaster:
    """Answers requests of the worker by op; `None` leaves one open. Records all of them."""

    def __init__(self, channel: socket.socket, replies: dict[str, Reply]) -> None:
        self.replies = replies
        self.requests: list[Message] = []
        self._channel = channel
        self._changed = threading.Condition()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def send(self, **message: Any) -> None:
        """An event, or a late answer."""
        self._channel.sendall(encode(message))

    def asked(self, op: str) -> list[Message]:
        """All requests of this kind so far."""
        with self._changed:
            return [message for message in self.requests if message.get("op") == op]

    def wait_for(self, op: str, number: int = 1) -> list[Message]:
        """The requests of this kind once there are so many."""
        with self._changed:
            met = self._changed.wait_for(lambda: sum(m.get("op") == op for m in self.requests) >= number, SECONDS)
        assert met, f"no {number} {op}: {self.requests}"
        return self.asked(op)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self.thread.join(SECONDS)
        self._channel.close()

    def _serve(self) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while data := self._channel.recv(65536):
                for message in reader.feed(data):
                    self._received(message)

    def _received(self, message: Message) -> None:
        with self._changed:
            self.requests.append(message)
            self._changed.notify_all()
        reply = self.replies.get(message.get("op", ""))
        answer = reply(message) if reply else None
        if answer is not None:
            self.send(id=message["id"], **answer)


class PlayedSession:
    """What a session's socket answers: 200 to everything, with the pid it was given."""

    def __init__(self, path: Path, pid: int = 4711) -> None:
        self.path, self.pid = path, pid
        self.heads: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)
        self._listener.close()
        self.path.unlink()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        body = b'{"result":%d}' % self.pid
        with client, contextlib.suppress(OSError):
            while head := client.recv(65536):
                self.heads.append(head)
                client.sendall(_PONG % (len(body), body))


class RunningWorker:
    """One worker process; start() again gives another one on the same port, with the same store."""

    def __init__(self, directory: Path, options: dict[str, Any], **greeting_fields: Any) -> None:
        self.directory = directory
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.sessions: list[PlayedSession] = []
        self._greeting = {
            "options": {
                "server-lib-dir": str(directory),
                "server-data-dir": str(directory),
                "auth-minimum-user-id": 0,
                **options,
            },
            "cookie_keys": [KEY],
            "single_user": None,
            **greeting_fields,
        }
        self.replies: dict[str, Reply] = {
            "check_password": lambda m: {"exit": 0 if m["password"] == PASSWORD else 1, "reason": ""},
            "launch": self.launch,
            "list": lambda _: {"sessions": []},
            "signal": lambda _: {"ok": True},
        }
        self.start()

    def start(self) -> None:
        """Start the process as the master does: fd 3 the channel, fd 4 the listener."""
        ours, theirs = socket.socketpair()
        log = self.directory / "worker.log"
        with theirs, log.open("ab") as stderr:
            fds = [theirs.fileno(), self.listener.fileno()]
            script = f'exec "$0" -I -S "$1" --listen-fds=1 3<&{fds[0]} 4<&{fds[1]}'
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", script, sys.executable, str(ROOT / "rserver" / "worker_main.py")],
                pass_fds=fds,
                stderr=stderr,
                start_new_session=True,
            )
        ours.sendall(encode(greeting("master", **self._greeting)))
        self.master = PlayedMaster(ours, self.replies)

    def launch(self, message: Message) -> Message:
        """A session that works at once."""
        session, user = message["launch"]["session"], message["launch"]["user"]
        played = PlayedSession(self.directory / f"{len(self.sessions)}.sock")
        self.sessions.append(played)
        return {"session": self.record_of(session, user, played)}

    def record_of(self, session: str, user: str, played: PlayedSession) -> dict[str, Any]:
        """The launcher's record of a played session."""
        made = record(session, user, os.getuid(), played.pid).to_json()
        return {**made, "socket": str(played.path)}

    @property
    def log(self) -> str:
        """What the worker wrote to stderr."""
        return (self.directory / "worker.log").read_text()

    def wait(self) -> int:
        """Exit code."""
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """kill -9; the channel closes."""
        self.process.kill()
        self.process.wait(SECONDS)
        self.master.close()

    def close(self) -> None:
        """End whatever is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)
        self.master.close()
        self.listener.close()
        for session in self.sessions:
            session.close()


@contextlib.contextmanager
def running_worker(options: dict[str, Any] | None = None, **greeting_fields: Any) -> Iterator[RunningWorker]:
    """A worker that is up."""
    # Not pytest's tmp_path: the name of a Unix socket has room for 107 bytes.
    with tempfile.TemporaryDirectory(prefix="rsd-") as name:
        (Path(name) / "db").mkdir()
        worker = RunningWorker(Path(name), options or {}, **greeting_fields)
        try:
            yield worker
        finally:
            worker.close()


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for something that gives no sign when it comes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        threading.Event().wait(0.02)
