"""The pages for errors, which need to know nothing of sessions."""

from rserver.web.request import RequestHead, Response
from rserver.web.responses import html
from rserver.web.templates import Html, Templates

UNKNOWN_SESSION = (
    "There is no session of yours at this address. It may have been removed from your list, or the address is not "
    "complete, or it is the session of somebody else."
)
_TITLES = {
    400: "Bad request",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    409: "Not possible now",
    413: "Too large",
    503: "Too much to do",
}
_PREFIX = "/s/"


def error_page(templates: Templates, head: RequestHead, status: int, message: str) -> Response:
    """See Pages.error."""
    base = head.root_path + "/"
    if status == 404 and head.path.startswith(_PREFIX) and not _names_port(head.path):
        title = "No such session"
        return html(templates.render("no_session", base=base, title=title, cause=UNKNOWN_SESSION, link=Html("")), 404)
    title = _TITLES.get(status, "Something went wrong")
    return html(templates.render("error", title=title, message=message, base=base), status)


def _names_port(path: str) -> bool:
    """A program's port: what is missing there is no session."""
    return path.removeprefix(_PREFIX).partition("/")[2].startswith(("p/", "absproxy/"))
