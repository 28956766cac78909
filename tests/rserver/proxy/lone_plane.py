"""A data plane in a process of its own: `python -m tests.rserver.proxy.lone_plane SOCKET SETTINGS`.

SOCKET is where the one session listens, SETTINGS a JSON object of FrontSettings. Prints its port; ends with its stdin.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvloop

from rserver.proxy.data_plane import DataPlane
from rserver.proxy.settings import FrontSettings
from rserver.web.request import Target
from rserver.web.static_files import StaticFiles
from tests.rserver.proxy.world import LIMIT_SECONDS, SID, Events, Gate, Pages


@contextmanager
def lone_plane(session: str, environment: Mapping[str, str], **settings: Any) -> Iterator[tuple[int, int]]:
    """A running one: its port and process id."""
    command = [sys.executable, "-m", __name__, session, json.dumps(settings)]
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.stdin.close()
        assert process.wait(LIMIT_SECONDS) == 0
        process.stdout.close()


def main(session: str, settings: str) -> None:
    """See above."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gate = Gate()
    gate.targets[SID] = Target(session, os.getuid(), (("X-RS-User", "alice"),))
    loop = uvloop.new_event_loop()
    plane = DataPlane(loop, FrontSettings(**json.loads(settings)), gate, Pages(), Events(), StaticFiles({}))
    listener = socket.create_server(("127.0.0.1", 0))
    loop.run_until_complete(plane.listen(listener))
    print(listener.getsockname()[1], flush=True)
    loop.add_reader(0, loop.stop)
    loop.run_forever()
    loop.remove_reader(0)
    loop.run_until_complete(plane.stop(0.1))


if __name__ == "__main__":
    main(*sys.argv[1:])
