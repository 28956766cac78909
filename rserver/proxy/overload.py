"""What is answered while there are too many: 503 with the time after which to try again, and the health check."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from rserver.proxy.front import Front
from rserver.proxy.settings import FrontSettings
from rserver.web.request import RequestHead, Response
from rserver.web.responses import UNAVAILABLE, rpc_error, wants_page

HEALTH_CHECK = "/health-check"
RETRY_SECONDS = 5
# Connections above the limit that are listened to for a moment.
MOST_REFUSED = 64
# As many when descriptors run out, of which some were kept back for them.
FEW_REFUSED = 4
_SECONDS = 5.0


def refusal(head: RequestHead, message: str, page: Callable[[RequestHead, int, str], Response]) -> Response:
    """503: a page for a browser that shows one, else JSON; both say when to come again."""
    answer = page(head, 503, message) if wants_page(head) else rpc_error(UNAVAILABLE, message)
    return replace(answer, headers=(*answer.headers, ("Retry-After", str(RETRY_SECONDS))))


def hasty(settings: FrontSettings) -> FrontSettings:
    """The settings of connections that are only told to come again."""
    seconds = min(_SECONDS, settings.head_seconds)
    return replace(settings, head_seconds=seconds, body_stall_seconds=seconds, send_seconds=seconds)


class Refusing:
    """Connections above a limit: each is listened to for one request, so that it can be told."""

    def __init__(self, drop: Callable[[Front], None]) -> None:
        self._drop = drop
        self._fronts: deque[Front] = deque()

    def enter(self, front: Front, most: int = MOST_REFUSED) -> None:
        """Who came first makes room when there are more than most."""
        front.stopping = True
        self._fronts.append(front)
        while len(self._fronts) > most:
            self._drop(self._fronts.popleft())

    def leave(self, front: Front) -> None:
        """It is gone."""
        if front in self._fronts:
            self._fronts.remove(front)
