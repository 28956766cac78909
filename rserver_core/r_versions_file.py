"""The administrator's file of R versions, `r-versions` in the configuration directory.

Either paths of homes of R, one a line, or records of `Key: value` lines with empty lines between them; both may stand
in one file. A comment starts with `#` at the start of a line or after a space.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rserver_core import conf_file
from rserver_core.config_errors import ConfigError, ConfigErrors

FILE_NAME = "r-versions"
MOST_RECORDS = 100
MOST_CHARACTERS = 1000
MOST_LABEL = 100
_COMMENT = re.compile(r"(?:^|\s)#.*")
_KEY = re.compile(r"([A-Za-z]+)[ \t]*:(?![/\\])(.*)")
_MODULES = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@=-]*(?: +[A-Za-z0-9_][A-Za-z0-9_./+@=-]*)*", re.ASCII)
_URL = re.compile(r"(?:https?|ftp|file)://[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class RRecord:
    """One R as the administrator describes it. place is `file:line` of its first line."""

    place: str
    path: str = ""
    label: str = ""
    module: str = ""
    script: str = ""
    repo: str = ""
    library: str = ""


class _Key(NamedTuple):
    allowed: str
    is_good: Callable[[str], bool]


def _is_path(value: str) -> bool:
    return value.startswith("/") and "|" not in value


_KEYS = {
    "Path": _Key("the absolute path of a home of R", _is_path),
    "Label": _Key(
        f"at most {MOST_LABEL} characters without |", lambda value: len(value) <= MOST_LABEL and "|" not in value
    ),
    "Module": _Key("names of environment modules with spaces between them", lambda v: bool(_MODULES.fullmatch(v))),
    "Script": _Key("the absolute path of a shell script", _is_path),
    "Repo": _Key(
        "the URL of a repository or the absolute path of a file of repositories",
        lambda value: bool(_URL.fullmatch(value)) or value.startswith("/"),
    ),
    "Library": _Key(
        "absolute paths of libraries with colons between them",
        lambda value: all(part.startswith("/") for part in value.split(":")),
    ),
}
_KEY_NAMES = ", ".join(_KEYS)


class _Line(NamedTuple):
    place: str
    text: str


def read(environ: Mapping[str, str]) -> tuple[list[RRecord], list[ConfigError]]:
    """The records of the file in the configuration directory and all that is wrong with it; none without a file."""
    path = path_of(environ)
    try:
        text = conf_file.read(path)
    except FileNotFoundError:
        return [], []
    if isinstance(text, ConfigError):
        return [], [text]
    found = list(parse(text, path))
    records = [item for item in found if isinstance(item, RRecord)]
    return records, [item for item in found if isinstance(item, ConfigError)]


def path_of(environ: Mapping[str, str]) -> str:
    """Where the file is, if there is one."""
    return os.path.join(conf_file.directory(environ), FILE_NAME)


def check(environ: Mapping[str, str]) -> None:
    """ConfigErrors with all that is wrong with the file."""
    if findings := read(environ)[1]:
        raise ConfigErrors(findings)


def parse(text: str, path: str) -> Iterator[RRecord | ConfigError]:
    """The records in a file's text, in order, and what is wrong with the others."""
    known: dict[tuple[str, str], str] = {}
    for number, lines in enumerate(_blocks(text, path), 1):
        if number > MOST_RECORDS:
            yield ConfigError(lines[0].place, "", f"only {MOST_RECORDS} R versions are allowed")
            return
        yield from _checked(lines, known)


def _blocks(text: str, path: str) -> Iterator[list[_Line]]:
    """The lines of one record each; a path that stands alone is one by itself."""
    lines: list[_Line] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = _Line(f"{path}:{number}", _COMMENT.sub("", raw).strip())
        if line.text and not line.text.startswith("/"):
            lines.append(line)
        elif line.text and not lines:
            yield [line]
        elif line.text:
            lines.append(line)
        elif lines and not raw.strip().startswith("#"):
            yield lines
            lines = []
    if lines:
        yield lines


def _checked(lines: list[_Line], known: dict[tuple[str, str], str]) -> Iterator[RRecord | ConfigError]:
    values: dict[str, str] = {}
    errors = [error for line in lines if (error := _take(line, values)) is not None]
    place = lines[0].place
    if not errors and not ({"path", "module"} & values.keys()):
        errors.append(ConfigError(place, "", "a record needs a Path or a Module"))
    name = (
        values.get("path", "").rstrip("/"),
        values.get("label", "") or ("" if "path" in values else values.get("module", "")),
    )
    first = known.setdefault(name, place)
    if not errors and first != place:
        errors.append(ConfigError(place, "", f"is the same R as at {first}; give one of them another Label"))
    if errors:
        yield from errors
    else:
        values["path"] = values.get("path", "").rstrip("/")
        yield RRecord(place, **values)


def _take(line: _Line, values: dict[str, str]) -> ConfigError | None:
    if len(line.text) > MOST_CHARACTERS or not line.text.replace("\t", " ").isprintable():
        return ConfigError(line.place, "", f"expected at most {MOST_CHARACTERS} characters without control characters")
    match = _KEY.fullmatch(line.text)
    if match is None and line.text.startswith("/") and not values:
        key, value = "Path", line.text
    elif match is None:
        found = line.text[:80]
        return ConfigError(line.place, "", f"expected the path of a home of R or one of {_KEY_NAMES}; found {found!r}")
    else:
        key, value = match[1], match[2].strip()
    if key not in _KEYS:
        return ConfigError(line.place, key[:80], f"unknown key; allowed are {_KEY_NAMES}")
    if key.lower() in values:
        return ConfigError(line.place, key, "is given twice; an empty line begins the next record")
    values[key.lower()] = value
    if not value or not _KEYS[key].is_good(value):
        return ConfigError(line.place, key, f"expected {_KEYS[key].allowed}, found {value[:200]!r}")
    return None
