"""What every request but those for static files is answered while the server is offline. Pure but for the template."""

from dataclasses import dataclass, replace
from typing import Protocol

from rserver.web.request import RequestHead, Response
from rserver.web.responses import html, plain, rpc_error, wants_page
from rserver.web.templates import Templates

OFFLINE = 13
_STATUS = 503
_RETRY = (("Retry-After", "30"),)
_TITLE = "The server is offline"
_DEFAULT = "It is being worked on. R sessions go on running; try again later."
_FOR_PROGRAMS = ("/s/", "/api/")


class Notice(Protocol):
    """Knows whether the server is offline."""

    @property
    def message(self) -> str | None:
        """The administrator's words, perhaps none, while it is; None while it is not."""


@dataclass(slots=True)
class OfflinePage:
    """The answers."""

    notice: Notice
    templates: Templates

    def answer(self, head: RequestHead) -> Response | None:
        """503 in the form that the request asks for; None while the server is online."""
        message = self.notice.message
        return None if message is None else replace(self._answer(head, message or _DEFAULT), headers=_RETRY)

    def _answer(self, head: RequestHead, message: str) -> Response:
        if head.path == "/health-check":
            return plain("offline\n", _STATUS)
        if head.path.startswith(_FOR_PROGRAMS) and not wants_page(head):
            return rpc_error(OFFLINE, f"{_TITLE}. {message}", _STATUS)
        page = self.templates.render("error", title=_TITLE, message=message, base=head.root_path + "/")
        return html(page, _STATUS)
