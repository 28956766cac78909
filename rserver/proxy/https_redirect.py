"""Who comes over HTTP is sent to the same address over HTTPS."""

from rserver.proxy.client import Exchange
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.web.responses import plain, redirect

_HTTPS_PORT = 443


class HttpsRedirect:
    """Answers every request of a listener; port: where HTTPS is spoken, None: where the client came, as it says."""

    def __init__(self, port: int | None) -> None:
        self._is_here = port is None
        self._suffix = "" if port in {None, _HTTPS_PORT} else f":{port}"

    def begin(self, front: Front, line: RequestLine) -> Exchange | None:
        """As `Dispatcher.begin`."""
        named = line.headers.get("host", "")
        host = named if self._is_here else _without_port(named)
        # The Host header has been checked; what comes over HTTP is seen by everybody, cookies and forms too.
        if host and line.target.startswith("/"):
            front.answer(redirect(f"https://{host}{self._suffix}{line.target}", 301))
        else:
            front.answer(plain("Come over HTTPS.\n", 400))
        return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
