"""The page someone wanted before signing in, kept only when it is one of ours. Pure."""

from urllib.parse import unquote

MAX_LENGTH = 2048


def safe_page(wanted: str | None) -> str:
    """wanted when it is a path on this server, otherwise "/"."""
    if not wanted or len(wanted) > MAX_LENGTH or not _stays_here(wanted):
        return "/"
    # A browser or a front proxy may decode once more than we do: what a decoded form could do counts too.
    decoded = unquote(unquote(wanted))
    return wanted if _stays_here(decoded) else "/"


def _stays_here(path: str) -> bool:
    if not path.startswith("/") or path[1:2] in {"/", "\\"} or "\\" in path.partition("?")[0]:
        return False
    return all(" " <= character != "\x7f" for character in path) and not _climbs_to_host(path)


def _climbs_to_host(path: str) -> bool:
    # "/.//evil" and "/x/..//evil" are "//evil" once dot segments are removed.
    plain = path.partition("?")[0].partition("#")[0]
    return "//" in plain or "/../" in plain + "/" or "/./" in plain + "/"
