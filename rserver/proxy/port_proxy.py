"""One request carried to a program that the session's user lets listen on a loopback port: Shiny, plumber, Jupyter …

Nobody reaches other users' programs that way: the kernel is asked whose the port is, before and after each connect.
"""

import asyncio
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from rserver.proxy import forward, port_answers
from rserver.proxy.back import Back
from rserver.proxy.body import Body
from rserver.proxy.client import Client
from rserver.proxy.http_head import StatusLine
from rserver.proxy.router import PortRoute, SessionRoute
from rserver.proxy.services import Services
from rserver.proxy.session_proxy import Asked, SessionExchange
from rserver.sign_in import sock_diag
from rserver.web.request import Response, Target

_HOSTS = {4: "127.0.0.1", 6: "::1"}
_NOTHING, _FOREIGN = 404, 403


class PortRefused(Exception):
    """No program of this user there; status is the answer's, the text a sentence for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class PortExchange(SessionExchange):
    """See SessionExchange. The session itself is only asked for as the proof that its user may come here."""

    __slots__ = ("_base", "_port")
    unreachable_text = "The program on that port cannot be reached."
    lost_text = "The connection to the program on that port was lost before it answered."

    def __init__(self, services: Services, client: Client, asked: Asked) -> None:
        route = asked.route
        assert isinstance(route, PortRoute)
        self._port = route.port
        root = f"{asked.head.root_path}/s/{route.session_id}"
        self._base = f"{root}/{'absproxy' if route.whole else 'p'}/{route.port}/"
        rest = self._base + route.rest[1:] if route.whole else route.rest
        super().__init__(services, client, asked._replace(route=SessionRoute(route.session_id, rest)))

    @property
    def listens(self) -> bool:
        """Whatever it is, it does not follow the session's events."""
        return False

    def answer_head(self, head: StatusLine, body: Body) -> None:
        """See BackUser."""
        super().answer_head(self._below(head), body)

    def switched(self, head: StatusLine) -> None:
        """See BackUser."""
        super().switched(self._below(head))

    def _below(self, head: StatusLine) -> StatusLine:
        return replace(head, fields=port_answers.below(head.fields, self._port, self._base))

    def _found(self, result: Target | Response) -> None:
        if isinstance(result, Response):
            self._answer(result)
            return
        self._connected = True
        self._services.events.connected(self.session_id)
        self._task = self._services.loop.create_task(self._connect(result))

    async def _connect(self, target: Target) -> None:
        try:
            back = await self._connected_back(target.uid)
        except PortRefused as refused:
            self._answer(self._services.error_page(self._head, refused.status, str(refused)))
            return
        except (OSError, TimeoutError):
            self._answer(self._services.error_page(self._head, 502, self.unreachable_text))
            return
        except Exception:
            self._broken()
            return
        self._task = None
        self._send(back, target)

    async def _connected_back(self, uid: int) -> Back:
        host = _host_of(self._port, uid)
        # Never used again: each connection is one that the port's owner was asked for.
        back = Back((f"port {self._port}", uid), Back.timed_out, lambda _: None)
        connecting = self._services.loop.create_connection(lambda: back, host, self._port)
        await asyncio.wait_for(connecting, self._services.settings.connect_seconds)
        try:
            _host_of(self._port, uid)
        except BaseException:
            back.abort()
            raise
        return back

    def _own_lines(self, target: Target) -> bytes:
        return forward.port_lines(self._head, self._base)

    def _answers(self) -> None:
        """That a program answers says nothing of the session."""

    def _may_repeat(self) -> bool:
        return False


def _host_of(port: int, uid: int) -> str:
    """The loopback address at which a program of that user listens on the port; PortRefused."""
    found = [(address, owner) for address, owner in sock_diag.listeners(port) if _reaches(address)] if port else []
    if not found:
        raise PortRefused(_NOTHING, f"Nothing listens on port {port} of this machine." if port else "No such port.")
    if any(owner != uid for _, owner in found):
        raise PortRefused(_FOREIGN, f"What listens on port {port} is not yours.")
    return _HOSTS[min(address.version for address, _ in found)]


def _reaches(address: IPv4Address | IPv6Address) -> bool:
    """Somebody who connects to the loopback address may meet this listener."""
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)
