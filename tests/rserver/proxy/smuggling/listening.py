"""A backend on a Unix socket, with a thread for each connection."""

import socket
import threading
from pathlib import Path

from tests.rserver.proxy.world import LIMIT_SECONDS


class Listening:
    """Begins to listen when it is made; whoever extends it has made everything else before."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1024)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """After the proxies in front ended: until everything they sent was read."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT_SECONDS)
            assert not thread.is_alive()
        self._listener.close()

    def serve(self, end: socket.socket, number: int) -> None:
        """Speak on the connection of this number, and close it."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(end, len(self._threads)))
            self._threads.append(thread)
            thread.start()
