"""A request of one user for a text that another user's session keeps: neither may do more to the other than edit."""

from dataclasses import replace

from rserver.proxy.body import Body
from rserver.proxy.client import Client
from rserver.proxy.http_head import RequestLine, StatusLine
from rserver.proxy.router import collab_host
from rserver.proxy.services import Services
from rserver.proxy.session_proxy import Asked, SessionExchange
from rserver.web.request import Response, Target
from rserver.web.responses import json_answer

_PASSED_ON = frozenset({"host", "origin", "user-agent"})
_HANDSHAKE = "sec-websocket-"
# The host's session may be its user's own program: what it says must not become a page of this server.
_ANSWER = (
    ("content-type", "application/json"),
    ("content-security-policy", "sandbox; default-src 'none'"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
)
_NOT_HOSTING = json_answer({"hosting": False})
_ACCEPT = frozenset({"sec-websocket-accept"})


class CollabExchange(SessionExchange):
    """Of the request only the handshake goes on; of the answer only status, body and the handshake come back."""

    __slots__ = ()

    def __init__(self, services: Services, client: Client, asked: Asked) -> None:
        super().__init__(services, client, asked._replace(line=_bare(asked.line)))

    @property
    def joins(self) -> str:
        """See Live."""
        return collab_host(self._head.path) or ""

    def _answers(self) -> None:
        """Nothing is learnt from it: other requests of this session do not go to the host's."""
        self._services.events.first_byte(self.joins)

    def _own_lines(self, target: Target) -> bytes:
        return target.head_lines

    def _answer(self, response: Response) -> None:
        """Whether a session hosts can be asked in vain: a page asks when it suspects that the session is gone."""
        is_question = self._line.method == "GET" and not self._line.upgrade
        super()._answer(_NOT_HOSTING if is_question else response)

    def answer_head(self, head: StatusLine, body: Body) -> None:
        """See BackUser."""
        super().answer_head(replace(head, reason="", fields=list(_ANSWER)), body)

    def switched(self, head: StatusLine) -> None:
        """See BackUser."""
        super().switched(replace(head, fields=[field for field in head.fields if field[0] in _ACCEPT]))


def _bare(line: RequestLine) -> RequestLine:
    fields = [field for field in line.fields if field[0] in _PASSED_ON or field[0].startswith(_HANDSHAKE)]
    return replace(line, fields=fields, headers={name: line.headers[name] for name in line.headers if name == "host"})
