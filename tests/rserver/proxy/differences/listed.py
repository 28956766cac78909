"""The differences that docs/reference/http-front.md lists, and which of them a pair of readings shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rserver.proxy.differences.readings import CLOSES, WAITS, Reading

_PAGE = Path(__file__).parents[4] / "docs" / "reference" / "http-front.md"
_HEADING = "## Where h11 and nginx read differently"
_ROW = re.compile(r"\| (?P<what>[^|]+?) \| (?P<h11>[^|]+?) \| (?P<nginx>[^|]+?) \| (?P<why>[^|]+?) \|")
_ONE_OF_MANY = re.compile(r"more than one .*")
PEERS = ("h11", "nginx")

# What we take and a peer may refuse or end otherwise, by what must be in the first head, or in its body.
_TAKEN = {
    "h11": {
        "a blank before a chunk extension": re.compile(rb"(?s).*\r\n\r\n.*[0-9A-Fa-f]+[ \t]+;"),
        "a trailer that poses as framing": re.compile(
            rb"(?s).*\r\n\r\n.*\r\n(?:content-length|transfer-encoding):", re.IGNORECASE
        ),
    },
    "nginx": {
        "a method that is not all capitals": re.compile(rb"(?![A-Z-]+ )"),
        "HTTP/1.0 without Host": re.compile(rb"[^\r\n]+ HTTP/1\.0\r\n(?!(?:[^\r\n]+\r\n)*host:)", re.IGNORECASE),
        "HTTP/1.0 with `Connection: keep-alive`": re.compile(
            rb"[^\r\n]+ HTTP/1\.0\r\n(?:[^\r\n]+\r\n)*connection:[ \t]*keep-alive\r\n", re.IGNORECASE
        ),
        "a tab beside a length": re.compile(rb"(?:[^\r\n]+\r\n)+content-length:[^\r\n]*\t", re.IGNORECASE),
    },
}


@dataclass(frozen=True)
class Difference:
    """One cell of the tables: the row, and whose reading differs there."""

    what: str
    peer: str


def listed() -> dict[Difference, str]:
    """What the page says of every difference: the words of the cell. Rows without a reason are an error."""
    section = _PAGE.read_text().partition(f"{_HEADING}\n")[2].partition("\n## ")[0]
    rows = [row for row in _ROW.finditer(section) if not row["what"].startswith(("---", "what we"))]
    assert rows, f"no table below {_HEADING}"
    assert all(len(row["why"]) > 5 for row in rows)
    cells = {Difference(row["what"], peer): row[peer] for row in rows for peer in PEERS}
    return {difference: words for difference, words in cells.items() if words != "as we do"}


def differences(peer: str, data: bytes, ours: Reading, theirs: Reading) -> Iterator[Difference]:
    """What of the two readings of these bytes differs; nothing when they agree."""
    common = min(len(ours.requests), len(theirs.requests))
    if ours.requests[:common] != theirs.requests[:common]:
        yield Difference("the same bytes are another request", peer)
    elif len(theirs.requests) > common:
        yield Difference(_why_we_stopped(peer, ours, data), peer)
    elif len(ours.requests) > common:
        yield Difference(_what_we_took(peer, data), peer)


def _why_we_stopped(peer: str, ours: Reading, data: bytes) -> str:
    if ours.end in {WAITS, CLOSES}:
        return _what_we_took(peer, data)
    return _ONE_OF_MANY.sub("more than one of a field that counts once", ours.end)


def _what_we_took(peer: str, data: bytes) -> str:
    return next((what for what, pattern in _TAKEN[peer].items() if pattern.match(data)), f"something in {data!r}")
