"""The page of a session: index.html of the web bundle with a fresh nonce."""

import secrets
from pathlib import Path

from rserver.web.request import Response

MARK = b"__CSP_NONCE__"
# connect-src 'self' covers our WebSockets; plots come as images, the editor's style sheets carry the nonce.
_CSP = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class NotBuilt(Exception):
    """There is no web bundle."""


class IdePage:
    """Reads index.html again when it was built anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.html"
        self._read: tuple[int, bytes] = (0, b"")

    def response(self, cookies: tuple[str, ...] = ()) -> Response:
        """The page; NotBuilt."""
        nonce = secrets.token_urlsafe(18)
        body = self._content().replace(MARK, nonce.encode())
        return Response(200, body, cookies=cookies, csp=_CSP.format(nonce=nonce))

    def _content(self) -> bytes:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read[0]:
                self._read = (changed, self._path.read_bytes())
        except OSError:
            raise NotBuilt(str(self._path)) from None
        return self._read[1]
