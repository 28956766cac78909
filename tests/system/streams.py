"""A web server that counts what it is sent and sends as many bytes as its path says; prints its port."""

import http.server
import socketserver
import threading

PIECE = b"\0" * (1 << 20)


class Streams(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left = size = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read1(min(left, 1 << 20)))
        if self.path == "/wait":
            print("waits", flush=True)
            threading.Event().wait()
        self._answer(len(str(size)))
        self.wfile.write(str(size).encode())

    def do_GET(self) -> None:
        size = int(self.path.lstrip("/"))
        self._answer(size)
        for _ in range(size >> 20):
            self.wfile.write(PIECE)

    def _answer(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Not a word."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One thread for each connection."""

    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Streams)
    print(server.server_port, flush=True)
    server.serve_forever()
