"""A backend that reads with h11, strictly, and writes down every request it gets."""

import socket
from pathlib import Path

import h11

from tests.rserver.proxy.smuggling.cases import Request
from tests.rserver.proxy.smuggling.listening import Listening
from tests.rserver.proxy.world import SID

_SESSION = f"/s/{SID}"


class Recorder(Listening):
    """Connections that broke the rules are in `broken`, cut ones leave no request behind."""

    def __init__(self, path: Path) -> None:
        self.requests: list[Request] = []
        self.broken: list[str] = []
        super().__init__(path)

    def of(self, number: int) -> tuple[Request, ...]:
        """The requests of one case, in order of arrival."""
        here = f"{_SESSION}/{number}/"
        return tuple(request for request in self.requests if request[1].startswith(here))

    def serve(self, end: socket.socket, number: int) -> None:
        """See Listening."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=128 * 1024)
        received = bytearray()
        with end:
            try:
                while self._one_request(end, connection, received):
                    connection.start_next_cycle()
            except h11.RemoteProtocolError as error:
                self.broken.append(f"{error}: {bytes(received)!r}")
            except (OSError, EOFError):
                return

    def _one_request(self, end: socket.socket, connection: h11.Connection, received: bytearray) -> bool:
        """Reads one, writes it down and answers; whether another may follow."""
        head, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = end.recv(1 << 16)
                if not data:
                    raise EOFError
                received += data
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
        assert head is not None
        self.requests.append((head.method.decode(), _path(head.target.decode()), body))
        answer = h11.Response(status_code=200, headers=[("Content-Length", "2")])
        payload = b"" if head.method == b"HEAD" else b"ok"
        end.sendall(
            b"".join(connection.send(event) or b"" for event in (answer, h11.Data(payload), h11.EndOfMessage()))
        )
        return bool(connection.our_state is h11.DONE)


def _path(target: str) -> str:
    """As the outermost client wrote it: our front takes the prefix away."""
    return target if target.startswith("/s/") else _SESSION + target
