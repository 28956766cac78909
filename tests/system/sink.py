"""A user's program on a local port that takes and gives any number of bytes, and how it is talked to."""

import contextlib
import subprocess
from collections.abc import Iterator

from tests.system.accounts import Account
from tests.system.distant_visitor import DistantVisitor

_PIECE = bytes(range(256)) * 4096
_PROGRAM = """
import http.server, sys, time
piece = bytes(range(256)) * 4096
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def begin(self, size, kind="application/octet-stream"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if size is not None: self.send_header("Content-Length", str(size))
        else: self.close_connection = True
        self.end_headers()
    def do_POST(self):
        left = size = int(self.headers["Content-Length"])
        while left:
            got = self.rfile.read(min(left, 1 << 20))
            if not got or got != (piece * 2)[(size - left) % len(piece):][:len(got)]: return
            left -= len(got)
        answer = str(size).encode()
        self.begin(len(answer))
        self.wfile.write(answer)
    def do_GET(self):
        if self.path.startswith("/size/"):
            size = int(self.path[6:])
            self.begin(size)
            for _ in range(size // len(piece)): self.wfile.write(piece)
        elif self.path == "/events":
            self.begin(None, "text/event-stream")
            for number in range(1, 9):
                self.wfile.write(b"data: %d\\n\\n" % number)
                self.wfile.flush()
                time.sleep(0.25)
        else:
            self.begin(len(self.path))
            self.wfile.write(self.path.encode())
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def listening_as(who: Account) -> Iterator[int]:
    """The port of the program, which belongs to that account."""
    program = subprocess.Popen(
        ["/usr/bin/python3", "-c", _PROGRAM],
        user=who.uid,
        group=who.gid,
        extra_groups=[],
        cwd="/tmp",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert program.stdout
    try:
        yield int(program.stdout.readline())
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def upload(visitor: DistantVisitor, path: str, size: int) -> int:
    """How many right bytes the program says it got; size: a multiple of 1 MiB."""
    with visitor.connect() as stream:
        stream.sendall(
            f"POST {path}/ HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie_line}\r\n"
            f"Connection: close\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        for _ in range(size // len(_PIECE)):
            stream.sendall(_PIECE)
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:500]
    return int(answer.partition(b"\r\n\r\n")[2])


def download(visitor: DistantVisitor, path: str, size: int) -> int:
    """How many right bytes came; the connection stays open behind them."""
    with visitor.connect() as stream:
        stream.sendall(
            f"GET {path}/size/{size} HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie_line}\r\n\r\n".encode()
        )
        file = stream.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 200 ")
        while file.readline() not in {b"\r\n", b""}:
            continue
        got = 0
        while got < size:
            piece = file.read(min(len(_PIECE), size - got))
            if piece != (_PIECE * 2)[got % len(_PIECE) :][: len(piece)]:
                break
            got += len(piece)
        return got
