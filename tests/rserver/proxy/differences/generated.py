"""Requests put together from good and bad parts, the same ones for the same seed."""

import random
from collections.abc import Iterator, Sequence

from tests.rserver.proxy.smuggling.cases import Case, prefix
from tests.rserver.proxy.world import COOKIE, TOKEN

_METHODS = ("GET", "POST", "HEAD", "PUT", "get", "Post", "FROB", "M-SEARCH", "G.T", "G T", "", "G\xe9T", "A" * 33)
_TARGETS = ("{S}/x", "{S}/x?y=z", "{S}//x", "{S}/a%20b", "{S}/%41", "{S}/~!$&'()*+,;=:@", '{S}/"<>^`{|}', "{S}/x??#y")
_ODD_TARGETS = (
    "{S}/\xe9",
    "{S}/a b",
    "{S}/%zz",
    "{S}/./x",
    "http://h{S}/x",
    "http://other{S}/x",
    "*",
    "x",
    "",
    "{S}/\\x",
)
_VERSIONS = (
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/1.9",
    "HTTP/2.0",
    "HTTP/1.",
    "http/1.1",
    "HTTP/1.1 ",
    "HTTP/11",
    "",
)
_BLANKS = (" ", "  ", "\t", " \t")
_HOSTS = ("Host: h", "Host: h:80", "Host: [::1]:80", "Host: H.example_1.org", "host:h")
_ODD_HOSTS = (
    "",
    "Host:",
    "Host: h:",
    "Host: h h",
    "Host: h/x",
    "Host: u@h",
    "Host: h,i",
    "Host: h:x",
    "Host: h%31",
    "Host: h'",
)
_NAMES = ("X", "Accept", "x-y_z", "X.Y", "X|Y", "x!#$%&'*+-.^`~", "Connection", "Expect", "Upgrade", "TE", "Cookie")
_ODD_NAMES = ("X Y", "", "X\xe9", "X\0", "(X)", "X\t", " X", "\tX", "X/Y", '"X"')
_COLONS = (":", ": ", ":\t", " :", "")
_VALUES = ("", "a", "a b", "\xe9", '"q"', "close", "keep-alive", "100-continue", "websocket", "h2c", "trailers")
_ODD_VALUES = ("a\0", "a\x01", "a\x7f", "a\rb", "a\nb", "a\x0bb", "a\r\n b")
_LENGTHS = ("3", "03", "3 ", "\t3", "+3", "-3", "0x3", "3,3", "3, 3", "3;", "", "\xb3", "3\x0b", "99999999999999999999")
_CODINGS = ("chunked", "Chunked", "chunked ", "xchunked", "identity", "gzip, chunked", "chunked, chunked", ",chunked")
_ODD_CODINGS = ("chunked;a=b", '"chunked"', "\x0bchunked", "chunked\x0c", "\xa0chunked", "", "chunked,")
_CHUNKS = (
    "3\r\nabc\r\n",
    "3;a=b\r\nabc\r\n",
    "3 ;a\r\nabc\r\n",
    "003\r\nabc\r\n",
    "A\r\n0123456789\r\n",
    '3;a="b c"\r\nabc\r\n',
)
_ODD_CHUNKS = (
    "3 \r\nabc\r\n",
    " 3\r\nabc\r\n",
    "0x3\r\nabc\r\n",
    "+3\r\nabc\r\n",
    "3\nabc\r\n",
    "3\r\nabc\n",
    "3\r\nabcd\r\n",
)
_MORE_ODD_CHUNKS = (
    "3;\nabc\r\n",
    "3;a\rb\r\nabc\r\n",
    "3\r\nabc\r\n\r\n",
    "3\r\nabc",
    "\r\n",
    "10000000000000003\r\nabc\r\n",
    "g\r\n",
)
_LASTS = ("0\r\n\r\n", "00\r\n\r\n", "0;a\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\n\r\n")
_ODD_LASTS = (
    "0\r\nTransfer-Encoding: x\r\n\r\n",
    "0\r\n\n",
    "0\n\r\n",
    "0\r\nX : y\r\n\r\n",
    "0\r\n X: y\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "0\r\n\r",
)
_BREAKS = ("\r\n",)
_ODD_BREAKS = ("\n", "\r", "\r\r\n", "\n\r")
# How often a part is one of the bad ones: rarely, so that most requests have one or two faults.
_ODDS = 0.06


def requests(seed: int, count: int, first: int) -> Iterator[Case]:
    """So many, numbered from first."""
    for number in range(first, first + count):
        text = _Request(random.Random(f"{seed} {number}")).text().replace("{S}", prefix(number))
        yield Case(f"generated {number}", "", number, text.encode("latin-1"), (), None, False)


class _Request:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def text(self) -> str:
        """One request and a plain one behind it, which tells where the reader takes the first one's end to be."""
        length, chunked = self._often(0.3), self._often(0.3)
        if length and chunked and self._often(0.7):
            length = False
        fields = [self._pick(_HOSTS, _ODD_HOSTS), COOKIE, TOKEN]
        fields += [self._field() for _ in range(self._chance.randrange(3))]
        fields += ["Content-Length: " + self._pick(("3", "3", "3"), _LENGTHS)] if length else []
        fields += ["Transfer-Encoding: " + self._pick(("chunked",) * 3, _CODINGS + _ODD_CODINGS)] if chunked else []
        self._chance.shuffle(fields)
        head = "".join(line + self._pick(_BREAKS, _ODD_BREAKS) for line in (self._line(), *fields) if line)
        body = self._chunks() if chunked else "abc" if length else ""
        follower = f"GET {{S}}/next HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\n{TOKEN}\r\n\r\n"
        return head + self._pick(_BREAKS, _ODD_BREAKS) + body + follower

    def _line(self) -> str:
        method, target = self._pick(_METHODS[:4], _METHODS[4:]), self._pick(_TARGETS, _ODD_TARGETS)
        version = self._pick(_VERSIONS[:2], _VERSIONS[2:])
        return method + self._pick(_BLANKS[:1], _BLANKS[1:]) + target + self._pick(_BLANKS[:1], _BLANKS[1:]) + version

    def _field(self) -> str:
        name = self._pick(_NAMES, _ODD_NAMES)
        return name + self._pick(_COLONS[:3], _COLONS[3:]) + self._pick(_VALUES, _ODD_VALUES)

    def _chunks(self) -> str:
        chunks = [self._pick(_CHUNKS, _ODD_CHUNKS + _MORE_ODD_CHUNKS) for _ in range(self._chance.randrange(3))]
        return "".join(chunks) + self._pick(_LASTS, _ODD_LASTS)

    def _pick(self, good: Sequence[str], bad: Sequence[str]) -> str:
        return self._chance.choice(bad if self._often(_ODDS) else good)

    def _often(self, share: float) -> bool:
        return self._chance.random() < share
