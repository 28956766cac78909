"""Who is let in without a sign-in page: the user who runs the server, known by the owner of the connecting socket."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rserver.web.request import Identity, RequestHead

_LOCAL_HOST = re.compile(
    r"(?:localhost|[a-z0-9-]{1,63}\.localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.ASCII
)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class SingleUser:
    """Lets in owner's and root's programs on this machine; uid_of tells who owns a peer's socket.

    It is asked for every request: an address and port may belong to somebody else a moment later.
    """

    owner: Identity
    uid_of: Callable[[tuple[str, int]], int | None]

    def identity(self, head: RequestHead) -> Identity | None:
        """The owner when the request comes from a program of theirs, else None.

        A name other than the machine's own in Host would be DNS rebinding, a proxy's header a stranger behind it.
        """
        if _LOCAL_HOST.fullmatch(head.host.lower()) is None:
            return None
        if any(name in head.headers for name in _FORWARDED):
            return None
        return self.owner if self.uid_of(head.remote) in {self.owner.uid, 0} else None
