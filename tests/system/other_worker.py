"""`python other_worker.py PYTHON RSERVER OPTION…`: the real server with this program as its worker.

It passes on requests for the master that come over a socket in the worker's own folder, one JSON object a line, and
answers with every message up to the answer. So a test asks as the worker would.
"""

import json
import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def serve_as_master() -> None:
    """In place of rserver/__main__.py."""
    sys.path.insert(0, str(ROOT))
    from rserver.__main__ import main
    from rserver.supervisor import installation

    installation.WORKER = Path(__file__)
    sys.argv = sys.argv[2:]
    sys.exit(main())


def serve_as_worker() -> None:
    """Started by the master, as its account."""
    sys.path.insert(0, str(ROOT))
    from rserver_core.frame import FrameReader, Message, encode, greeting

    channel, reader = socket.socket(fileno=3), FrameReader()
    channel.sendall(encode(greeting("worker")))
    first: list[Message] = []
    while not first:
        first = list(reader.feed(channel.recv(65536)))
    listener = socket.socket(socket.AF_UNIX)
    path = os.path.join(first[0]["options"]["server-lib-dir"], "db", "worker.sock")
    listener.bind(path)
    listener.listen()
    while True:
        client, _ = listener.accept()
        with client, client.makefile("rw") as lines:
            channel.sendall(encode(json.loads(lines.readline())))
            answered = False
            while not answered:
                for message in reader.feed(channel.recv(65536)):
                    lines.write(json.dumps(message) + "\n")
                    answered = answered or "id" in message
            lines.flush()


if __name__ == "__main__":
    serve_as_worker() if any(argument.startswith("--listen-fds") for argument in sys.argv) else serve_as_master()
