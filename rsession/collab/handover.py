"""A member's WebSocket on its way to filebase: who asks is looked at, then the connection is given away."""

import base64
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.python.failure import Failure

from rsession.http_message import Request

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rsession.http_connection import HttpConnection

_MOST_EARLY = 64 << 10

GiveAway = Callable[[int, str], bool]
"""Takes a descriptor and what came early; False when nobody is there to take it."""


class Handover:
    """Takes a connection after its handshake was read; may_enter fires with a refusal, empty when there is none."""

    def __init__(
        self, request: Request, connection: "HttpConnection", may_enter: "Deferred[str]", give_away: GiveAway
    ) -> None:
        self._request, self._connection = request, connection
        self._may_enter, self._give_away = may_enter, give_away
        self._early = b""
        self._is_lost = False

    def connected(self) -> None:
        """See Upgraded."""
        self._may_enter.addCallbacks(self._checked, self._failed)

    def data_received(self, data: bytes) -> None:
        """See Upgraded."""
        self._early += data
        if len(self._early) > _MOST_EARLY:
            self._connection.abort()

    def connection_lost(self) -> None:
        """See Upgraded."""
        self._is_lost = True

    def _failed(self, failure: Failure) -> None:
        self._refuse(500, "the session could not look whether you may change this file")

    def _checked(self, refusal: str) -> None:
        if self._is_lost:
            return
        if refusal:
            self._refuse(403, refusal)
            return
        transport = self._connection.transport
        assert transport is not None
        descriptor = os.dup(transport.fileno())  # type: ignore[attr-defined]
        try:
            is_taken = self._give_away(descriptor, base64.b64encode(self._early).decode())
        finally:
            os.close(descriptor)
        if is_taken:
            # The other descriptor lives on: this one is closed without a shutdown of the connection.
            self._connection.abort()
        else:
            self._refuse(503, "the text is not shared here")

    def _refuse(self, status: int, reason: str) -> None:
        if self._is_lost:
            return
        body = reason.encode()
        head = (
            f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        )
        self._connection.send(head.encode() + b"Connection: close\r\n\r\n" + body)
        self._connection.close()
