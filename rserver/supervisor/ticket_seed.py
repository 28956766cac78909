"""The seed of the keys of TLS session tickets: the same for all workers, in memory only, made anew now and then."""

import secrets
from collections.abc import Callable

from rserver_process.event_loop import Loop

# Who reads the memory of a worker can read what was recorded of TLS 1.2 for as long.
RENEW_SECONDS = 6 * 3600.0


class TicketSeed:
    """value: 32 bytes in hex."""

    def __init__(self) -> None:
        self.value = secrets.token_hex(32)

    def keep_new(self, loop: Loop, tell: Callable[[], None], seconds: float = RENEW_SECONDS) -> None:
        """Change it that often, from now on; tell is called after each change."""

        def renew() -> None:
            self.value = secrets.token_hex(32)
            tell()
            loop.call_later(seconds, renew)

        loop.call_later(seconds, renew)
