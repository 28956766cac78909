"""Kinds of option values: each reads text into a typed value, says what it allows, and writes a value as in a file."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

_URL_ORIGIN = r"https?://[A-Za-z0-9.\-:\[\]*]+"
_ORIGIN_PATTERN = r"(?:https?://)?[A-Za-z0-9.\-\[\]:*]{1,255}"
_HEADER = r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*)"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?"


class NotAllowed(ValueError):
    """A text is no value of this kind."""


class Kind(Protocol):
    """How the values of an option are read. `allowed` is the end of the sentence "expected …"."""

    @property
    def allowed(self) -> str:
        """What a value may be."""

    def read(self, text: str, environ: Mapping[str, str]) -> Any:
        """The typed value; NotAllowed when text is none."""


class Flag(NamedTuple):
    """A switch: `1` or `0`."""

    allowed: str = "1 or 0"

    def read(self, text: str, environ: Mapping[str, str]) -> bool:
        """True for 1."""
        if text not in {"0", "1"}:
            raise NotAllowed
        return text == "1"


class Integer(NamedTuple):
    """A whole number between two bounds, both included. `auto`, where allowed, stands for the default."""

    low: int
    high: int
    auto: int | None = None

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a whole number from {self.low} to {self.high}" + ("" if self.auto is None else ", or auto")

    def read(self, text: str, environ: Mapping[str, str]) -> int:
        """The number."""
        if self.auto is not None and text == "auto":
            return self.auto
        if len(text) > 20 or not re.fullmatch(r"-?[0-9]+", text, re.ASCII) or not self.low <= int(text) <= self.high:
            raise NotAllowed
        return int(text)


class Text(NamedTuple):
    """Text of a given shape; empty text is allowed only where the default is empty."""

    allowed: str
    pattern: str = ".+"

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The text itself."""
        if not re.fullmatch(self.pattern, text, re.ASCII):
            raise NotAllowed
        return text


class Path(NamedTuple):
    """An absolute path; `~` and `$NAME` at its start are replaced."""

    empty: bool = False
    allowed: str = "an absolute path"

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The path without a trailing slash."""
        if not text and self.empty:
            return ""
        expanded = expand(text, environ)
        if not expanded.startswith("/"):
            raise NotAllowed
        return expanded.rstrip("/") or "/"


class Choice(NamedTuple):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return "one of " + " ".join(word or '"" (empty)' for word in self.words)

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The word."""
        if text not in self.words:
            raise NotAllowed
        return text


class Words(NamedTuple):
    """Some of a few words with blanks between them, at least one."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return "some of " + " ".join(self.words)

    def read(self, text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
        """The words, each once, in the order of the table."""
        given = set(text.split())
        if not given or given - set(self.words):
            raise NotAllowed
        return tuple(word for word in self.words if word in given)


class Names(NamedTuple):
    """Names of accounts or groups with commas between them."""

    allowed: str = "names with commas between them"

    def read(self, text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
        """The names."""
        names = tuple(name.strip() for name in text.split(",")) if text else ()
        if not all(re.fullmatch(_NAME, name, re.ASCII) for name in names):
            raise NotAllowed
        return names


class Networks(NamedTuple):
    """IP addresses and networks with commas between them."""

    allowed: str = "IP addresses or networks like 10.0.0.0/8 with commas between them"

    def read(self, text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Each in its shortest form."""
        from ipaddress import ip_network  # keepers carry what this module imports, and never need it

        try:
            return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",")) if text else ()
        except ValueError:
            raise NotAllowed from None


class Variables(NamedTuple):
    """Names of environment variables with colons between them."""

    allowed: str = "names of environment variables with colons between them"

    def read(self, text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
        """The names."""
        names = tuple(name.strip() for name in text.split(":")) if text else ()
        if not all(re.fullmatch(_VARIABLE, name, re.ASCII) for name in names):
            raise NotAllowed
        return names


# Which the server alone can know: a second one would break or falsify responses.
_OF_ONE_RESPONSE = frozenset(
    [
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "date",
        "etag",
        "keep-alive",
        "location",
        "proxy-authenticate",
        "proxy-connection",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
    ]
)


class Header(NamedTuple):
    """One HTTP response header, `Name: value`; not one that frames the response or is of a single one."""

    allowed: str = "a response header, Name: value, that concerns neither length, connection, date nor cookies"

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The header with exactly one space after the colon."""
        match = re.fullmatch(_HEADER, text, re.ASCII)
        if match is None or match[1].lower() in _OF_ONE_RESPONSE:
            raise NotAllowed
        return f"{match[1]}: {match[2].strip()}"


class FrameOrigin(NamedTuple):
    """Who may show our pages in a frame."""

    allowed: str = "none, same, any or an origin like https://portal.example.org"

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The word or the origin."""
        if text not in {"none", "same", "any"} and not re.fullmatch(_URL_ORIGIN, text, re.ASCII):
            raise NotAllowed
        return text


class OriginPattern(NamedTuple):
    """A host, with or without scheme and port, in which * stands for any letters."""

    allowed: str = "a host like portal.example.org or *.example.org, also with scheme and port"

    def read(self, text: str, environ: Mapping[str, str]) -> str:
        """The pattern in lower case."""
        if not re.fullmatch(_ORIGIN_PATTERN, text, re.ASCII):
            raise NotAllowed
        return text.lower()


def expand(path: str, environ: Mapping[str, str]) -> str:
    """path with a leading `~/` or `$NAME/` replaced from environ; NotAllowed when that variable is not there."""
    match = re.match(r"(~|\$([A-Z_]+))(?=/|$)", path, re.ASCII)
    if match is None:
        return path
    start = environ.get(match[2] or "HOME", "")
    if not start:
        raise NotAllowed
    return start.rstrip("/") + path[match.end() :]
