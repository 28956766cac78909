"""A real session in its own process, spoken to over its socket."""

import base64
import json
import os
import pwd
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, TextMessage

Event = dict[str, Any]
DEADLINE = float(os.environ.get("RSERVER_TEST_DEADLINE_SECONDS", "30"))
_PACKAGE = Path(__file__).resolve().parents[2] / "rsession"


class UnixConnection(HTTPConnection):
    """http.client over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=DEADLINE)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path)


def connect(path: str) -> socket.socket:
    """A connected stream socket with a time-out."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.connect(path)
    except OSError:
        stream.close()
        raise
    stream.settimeout(DEADLINE)
    return stream


class EventStream:
    """One WebSocket listener."""

    def __init__(self, path: str, client_id: str, after: int) -> None:
        self.socket = connect(path)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /events?clientId={client_id}&after={after} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self._frames = Connection(ConnectionType.CLIENT)
        self._text = ""
        self.seen: list[Event] = []
        """All events that arrived, oldest first."""
        self._taken = 0
        self._after = after
        try:
            self._read_frames(self._read_head())
        except BaseException:
            self.socket.close()
            raise

    def wait_for(self, wanted: Callable[[Event], bool], deadline: float = DEADLINE) -> Event:
        """The next event that is `wanted`, after the last one that was waited for; AssertionError if none comes."""
        end = time.monotonic() + deadline
        while True:
            while self._taken < len(self.seen):
                self._taken += 1
                if wanted(self.seen[self._taken - 1]):
                    return self.seen[self._taken - 1]
            if not self._receive(end - time.monotonic()):
                raise AssertionError(f"no such event in {deadline:.0f} s; the last ones: {self.seen[-12:]}")

    def wait_for_type(self, type_: str, deadline: float = DEADLINE) -> Event:
        """The next event of a type."""
        return self.wait_for(lambda event: event["type"] == type_, deadline)

    def wait_for_prompt(self, prompt: str = "> ", deadline: float = DEADLINE) -> Event:
        """The next prompt with that text."""
        return self.wait_for(lambda e: e["type"] == "console_prompt" and e["data"]["prompt"] == prompt, deadline)

    @property
    def position(self) -> int:
        """Number of the last event that arrived."""
        return self.seen[-1]["id"] if self.seen else self._after

    def wait_for_close(self, deadline: float = DEADLINE) -> None:
        """Until the session closes the connection."""
        end = time.monotonic() + deadline
        while self._receive(end - time.monotonic()):
            pass
        assert time.monotonic() < end, "the connection stays open"

    def text(self, type_: str = "console_write_output", since: int = 0) -> str:
        """All text of a type in the events after number `since`."""
        return "".join(e["data"]["text"] for e in self.seen if e["type"] == type_ and e["id"] > since)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _read_head(self) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            assert piece, f"the handshake was cut off: {data!r}"
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), (head, rest)
        return rest

    def _receive(self, timeout: float) -> bool:
        if timeout <= 0 or not select.select([self.socket], [], [], timeout)[0]:
            return False
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            return False
        return bool(data) and self._read_frames(data)

    def _read_frames(self, data: bytes) -> bool:
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, TextMessage):
                self._add(event)
            elif isinstance(event, Ping):
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.socket.sendall(self._frames.send(event.response()))
            elif isinstance(event, CloseConnection):
                return False
        return True

    def _add(self, message: Message[str]) -> None:
        self._text += message.data
        if message.message_finished:
            self.seen += json.loads(self._text)
            self._text = ""


class RunningSession:
    """Starts rsession on a socket in a temporary folder; `with RunningSession() as session:`.

    arguments: further options. environment: variables on top of a plain environment with a home of its own.
    """

    def __init__(
        self, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None, user: str | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rsession-test-")
        self.folder = Path(self._folder.name)
        self.home = self.folder / "home"
        self.socket_path = str(self.folder / "session.sock")
        self._arguments = list(arguments)
        self._environment = dict(environment or {})
        self._user = user
        self.process: subprocess.Popen[bytes] | None = None
        self._http: HTTPConnection | None = None
        self._streams: list[EventStream] = []
        self.client_id = ""
        self.start: dict[str, Any] = {}

    def __enter__(self) -> "RunningSession":
        self.home.mkdir(exist_ok=True)
        self.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up_all()
        self._bury()
        self._folder.cleanup()

    def launch(self) -> None:
        """Start the process, also again after its end; connections wait in the socket's backlog until it listens."""
        self._hang_up_all()
        if self.process is not None:
            self.process.wait(DEADLINE)
            self._bury()
            os.unlink(self.socket_path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with listener:
            listener.bind(self.socket_path)
            listener.listen(16)
            os.chmod(self.socket_path, 0o660)
            if self._user is not None:
                self._give_to(pwd.getpwnam(self._user))
            self.process = subprocess.Popen(
                [*self.command(), f"--listen-fd={listener.fileno()}", *self._arguments],
                env=self.environment(),
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                user=self._user,
                group=pwd.getpwnam(self._user).pw_gid if self._user else None,
                extra_groups=self._groups(),
            )

    def command(self) -> list[str]:
        """As the server starts it."""
        program = os.environ.get("RSESSION_UNDER_TEST") or str(_PACKAGE / "__main__.py")
        return [sys.executable, "-I", "-S", program, "--session-id=0123456789abcdef01234"]

    def environment(self) -> dict[str, str]:
        """A plain environment and what the test added."""
        plain = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "USER": "test"}
        return plain | {"RSTUDIO_CONFIG_DIR": str(self.folder)} | self._environment

    @property
    def pid(self) -> int:
        """Of the session process."""
        assert self.process is not None
        return self.process.pid

    def stderr(self) -> str:
        """What the process wrote to its original stderr; waits for its end."""
        assert self.process is not None
        _, data = self.process.communicate(timeout=DEADLINE)
        return data.decode()

    def http(self, method: str, path: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
        """One request on a kept connection; the caller reads the answer."""
        if self._http is None:
            self._http = UnixConnection(self.socket_path)
        self._http.request(method, path, body, headers)
        return self._http.getresponse()

    def rpc(self, method: str, *params: object, **kwparams: object) -> dict[str, Any]:
        """The whole answer of an RPC."""
        body = {"method": method, "params": params, "kwparams": kwparams, "clientId": self.client_id}
        answer = self.http("POST", f"/rpc/{method}", json.dumps(body).encode())
        assert answer.status == 200, answer.read()
        decoded: dict[str, Any] = json.loads(answer.read())
        return decoded

    def hang_up(self) -> None:
        """Close the kept connection; the next request opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def call(self, method: str, *params: object, **kwparams: object) -> Any:
        """The result of an RPC; AssertionError when it answers an error."""
        answer = self.rpc(method, *params, **kwparams)
        assert "error" not in answer, answer
        return answer["result"]

    def init(self) -> dict[str, Any]:
        """client_init; later calls use its clientId."""
        self.start = self.call("client_init")
        self.client_id = self.start["clientId"]
        return self.start

    def events(self, after: int | None = None) -> EventStream:
        """A new listener, by default from the beginning of the log."""
        if not self.client_id:
            self.init()
        self._streams.append(EventStream(self.socket_path, self.client_id, after or 0))
        return self._streams[-1]

    def type(self, text: str) -> None:
        """Lines for the console."""
        self.call("console_input", text, "test")

    def _hang_up_all(self) -> None:
        self.hang_up()
        for stream in self._streams:
            stream.close()
        self._streams, self.client_id = [], ""

    def _bury(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stderr is not None
            self.process.stderr.close()

    def _groups(self) -> list[int] | None:
        return os.getgrouplist(self._user, pwd.getpwnam(self._user).pw_gid) if self._user else None

    def _give_to(self, account: pwd.struct_passwd) -> None:
        for path in (self.folder, self.home, Path(self.socket_path)):
            os.chown(path, account.pw_uid, account.pw_gid)


def ready(session: RunningSession) -> EventStream:
    """A listener of what happens from now on; the session waits at its prompt."""
    start = session.init()
    stream = session.events(start["eventId"])
    if start["console"]["prompt"] != "> ":
        stream.wait_for_prompt()
    return stream


def evaluate(session: RunningSession, stream: EventStream, code: str, prompt: str = "> ") -> str:
    """Output of code until the next prompt."""
    since = stream.position
    session.type(code)
    stream.wait_for(lambda event: event["type"] == "console_write_input" and event["id"] > since)
    stream.wait_for_prompt(prompt)
    return stream.text(since=since)
