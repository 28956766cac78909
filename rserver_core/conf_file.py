"""The `key=value` files of /etc/rstudio: one entry a line, in some of them below headings in brackets.

A comment starts with `#` at the start of a line or after a space.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rserver_core.config_errors import ConfigError

MAX_BYTES = 1 << 20
DEFAULT_DIRECTORY = "/etc/rstudio"
_COMMENT = re.compile(r"(?:^|\s)#.*")


class Entry(NamedTuple):
    """One value as somebody wrote it. place is `file:line` or `command line`."""

    place: str
    key: str
    value: str


class Heading(NamedTuple):
    """A line `[name]`; what follows belongs to it."""

    place: str
    name: str


def directory(environ: Mapping[str, str]) -> str:
    """Where the configuration lies: RSTUDIO_CONFIG_DIR or /etc/rstudio."""
    return environ.get("RSTUDIO_CONFIG_DIR") or DEFAULT_DIRECTORY


def read(path: str) -> str | ConfigError:
    """The text of a configuration file; FileNotFoundError is left to the caller, all else is a finding."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        return ConfigError(path, "", f"cannot be read: {error.strerror}")
    if len(content) > MAX_BYTES:
        return ConfigError(path, "", f"is larger than {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return ConfigError(f"{path}:{line}", "", "is not UTF-8 text")


def parse(text: str, path: str) -> Iterator[Entry | ConfigError]:
    """The entries of a file's text, in order; a line that is none is a finding."""
    for number, line in enumerate(text.split("\n"), 1):
        content = _COMMENT.sub("", line).strip()
        if content:
            yield _entry(content, f"{path}:{number}")


def parse_sections(text: str, path: str) -> Iterator[Heading | Entry | ConfigError]:
    """As parse, for a file with headings."""
    for number, line in enumerate(text.split("\n"), 1):
        content, place = _COMMENT.sub("", line).strip(), f"{path}:{number}"
        if content.startswith("[") and content.endswith("]"):
            yield Heading(place, content[1:-1].strip())
        elif content:
            yield _entry(content, place)


def _entry(content: str, place: str) -> Entry | ConfigError:
    key, equals, value = content.partition("=")
    if not equals or not key.strip():
        return ConfigError(place, "", f"expected key=value, found {content[:80]!r}")
    if not content.isprintable():
        return ConfigError(place, key.strip()[:80] if key.isprintable() else "", "has a control character")
    return Entry(place, key.strip(), value.strip())
