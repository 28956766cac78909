"""The corpus: what is sent, and what must come of it."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rserver.proxy.world import COOKIE, SID, TOKEN

_FILE = Path(__file__).with_name("corpus.toml")
_MANY = re.compile(r"\{many:(\d+):([^}]*)\}")
_PIECES = {
    "{evil}": "GET {S}/evil HTTP/1.1\r\nHost: h\r\n{auth}\r\n",
    "{get}": "GET {S}/x HTTP/1.1\r\nHost: h\r\n{auth}",
    "{post}": "POST {S}/x HTTP/1.1\r\nHost: h\r\n{auth}",
    "{auth}": f"{COOKIE}\r\n{TOKEN}\r\n",
}

Request = tuple[str, str, bytes]
"""Method, path and body."""


@dataclass(frozen=True)
class Case:
    """One entry of the corpus; number makes its paths its own, so that each request is known by its path.

    requests  what a backend may see, whole requests only
    refusal   status of the answer to what is refused, None when all is carried
    stays     the connection need not end with the refusal
    """

    name: str
    source: str
    number: int
    data: bytes
    requests: tuple[Request, ...]
    refusal: int | None
    stays: bool


def corpus() -> list[Case]:
    """All cases."""
    with _FILE.open("rb") as file:
        return [_case(number, entry) for number, entry in enumerate(tomllib.load(file)["case"])]


def prefix(number: int) -> str:
    """The path below which a case stays."""
    return f"/s/{SID}/{number}"


def _case(number: int, entry: dict[str, Any]) -> Case:
    assert {"name", "source", "send"} <= set(entry) <= {"name", "source", "send", "refuse", "sees", "stays"}, entry
    assert "refuse" in entry or "sees" in entry, entry["name"]
    data = expanded(entry["send"], number).encode("latin-1")
    requests = tuple(_request(expanded(text, number)) for text in entry.get("sees", []))
    return Case(entry["name"], entry["source"], number, data, requests, entry.get("refuse"), entry.get("stays", False))


def expanded(text: str, number: int) -> str:
    """The text of a case with its placeholders filled in."""
    for name, piece in _PIECES.items():
        text = text.replace(name, piece)
    text = text.replace("{S}", prefix(number))
    return _MANY.sub(lambda match: match[2] * int(match[1]), text)


def _request(text: str) -> Request:
    method, path, body = (*text.split(" ", 2), "")[:3]
    return method, path, body.encode("latin-1")
