"""Who comes over HTTP is sent to the same address over HTTPS."""

from rserver.proxy.client import Exchange
from rserver.proxy.front import Front
from rserver.proxy.http_head import RequestLine
from rserver.web.responses import plain, redirect

_HTTPS_PORT = 443


class HttpsRedirect:
    """Answers every request of a listener; port: where HTTPS is spoken."""

    def __init__(self, port: int) -> None:
        self._suffix = "" if port == _HTTPS_PORT else f":{port}"

    def begin(self, front: Front, line: RequestLine) -> Exchange | None:
        """As `Dispatcher.begin`."""
        host = _without_port(line.headers.get("host", ""))
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
