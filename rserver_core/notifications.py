"""The file `notifications.conf`: what an administrator tells everybody, from when and until when. Strict."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from rserver_core import conf_file
from rserver_core.config_errors import ConfigError, ConfigErrors

FILE_NAME = "notifications.conf"
MOST, MOST_CHARACTERS = 100, 2000
ALLOWED_TIMES = "a time like 2026-03-01 17:30, 2026-03-01T17:30:00Z or 2026-03-01 17:30 +01:00"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T]+(\d\d):(\d\d)(?::(\d\d))?)? *(?:(Z|UTC)|([+-])(\d{1,2}):?(\d\d)?)?", re.ASCII
)
_FIELDS = ("StartTime", "EndTime", "Message")


@dataclass(frozen=True, slots=True)
class Notification:
    """One message; times in seconds since 1970, starts None: at once."""

    message: str
    ends: float
    starts: float | None = None

    @property
    def id(self) -> str:
        """Another one for every change, so that who dismissed it sees the new one."""
        return hashlib.sha256(repr((self.message, self.ends, self.starts)).encode()).hexdigest()[:16]

    def is_shown(self, now: float) -> bool:
        """Its time is now."""
        return (self.starts is None or self.starts <= now) and now < self.ends


class _Line(NamedTuple):
    place: str
    text: str


def load(environ: Mapping[str, str]) -> tuple[Notification, ...]:
    """Those of the configuration directory, none when there is no such file; ConfigErrors."""
    path = path_of(environ)
    try:
        text = conf_file.read(path)
    except FileNotFoundError:
        return ()
    if isinstance(text, ConfigError):
        raise ConfigErrors([text])
    return parse(text, path)


def path_of(environ: Mapping[str, str]) -> str:
    """Where the file lies."""
    return os.path.join(conf_file.directory(environ), FILE_NAME)


def parse(text: str, path: str) -> tuple[Notification, ...]:
    """The notifications in a file's text, in order; ConfigErrors with every finding."""
    reader = _Reader()
    found = [reader.read(lines) for lines in _records(text, path)]
    if len(found) > MOST:
        reader.errors.append(ConfigError(path, "", f"there are {len(found)} notifications; at most {MOST} are allowed"))
    if reader.errors:
        raise ConfigErrors(reader.errors)
    return tuple(each for each in found if each is not None)


def time_of(text: str) -> float:
    """Seconds since 1970 of a time as it is written in the file; ValueError.

    Without a zone it is the time of the machine's own zone; without an hour the begin of the day.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    day, hour, minute, second, utc, sign, zone_hours, zone_minutes = match.groups()
    moment = datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")
    if utc:
        moment = moment.replace(tzinfo=UTC)
    elif sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
        moment = moment.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    try:
        return moment.timestamp()
    except OverflowError:
        raise ValueError(text) from None


def _records(text: str, path: str) -> Iterator[Sequence[_Line]]:
    """Lines that belong together; comments and what is between are left out."""
    lines = list[_Line]()
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#"):
            continue
        if line.strip():
            lines.append(_Line(f"{path}:{number}", line.rstrip()))
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


class _Reader:
    def __init__(self) -> None:
        self.errors: list[ConfigError] = []

    def read(self, lines: Sequence[_Line]) -> Notification | None:
        """One record; None when something is wrong with it."""
        before = len(self.errors)
        fields = self._fields(lines)
        for name in ("EndTime", "Message"):
            if name not in fields:
                self._report(lines[0].place, name, "is missing in the notification that begins here")
        times = {name: self._time(fields[name], name) for name in ("StartTime", "EndTime") if name in fields}
        message = fields["Message"].text.strip() if "Message" in fields else ""
        if "Message" in fields:
            self._check_message(fields["Message"].place, message)
        starts, ends = times.get("StartTime"), times.get("EndTime")
        if starts is not None and ends is not None and ends <= starts:
            self._report(fields["EndTime"].place, "EndTime", "is not after StartTime")
        return None if len(self.errors) > before or ends is None else Notification(message, ends, starts)

    def _fields(self, lines: Sequence[_Line]) -> dict[str, _Line]:
        fields = dict[str, _Line]()
        name = ""
        for line in lines:
            if line.text[0].isspace():
                name = self._go_on(line, name, fields)
                continue
            name, colon, value = line.text.partition(":")
            if not colon or name not in _FIELDS:
                expected = "expected StartTime:, EndTime: or Message:, or a line that goes on and begins with a space"
                self._report(line.place, "", f"{expected}; found {line.text[:80]!r}")
                name = ""
            elif name in fields:
                self._report(line.place, name, f"is given twice, first at {fields[name].place}")
            else:
                fields[name] = _Line(line.place, value.strip())
        return fields

    def _go_on(self, line: _Line, name: str, fields: dict[str, _Line]) -> str:
        if name == "Message":
            first = fields[name]
            fields[name] = _Line(first.place, f"{first.text}\n{line.text.strip()}")
        elif name:
            self._report(line.place, name, "cannot go on in a second line")
        return name

    def _time(self, line: _Line, name: str) -> float | None:
        try:
            return time_of(line.text)
        except ValueError:
            self._report(line.place, name, f"expected {ALLOWED_TIMES}, found {line.text[:80]!r}")
            return None

    def _check_message(self, place: str, message: str) -> None:
        if not message or len(message) > MOST_CHARACTERS:
            self._report(place, "Message", f"expected 1 to {MOST_CHARACTERS} characters, found {len(message)}")
        elif not message.replace("\n", "").isprintable():
            self._report(place, "Message", "has a control character")

    def _report(self, place: str, key: str, problem: str) -> None:
        self.errors.append(ConfigError(place, key, problem))
