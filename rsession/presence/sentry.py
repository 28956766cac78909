"""What a session tells the others in its project, as a value and as JSON. Pure; everything read is hostile input."""

import json
import re
from dataclasses import asdict, dataclass

from rserver_core.session_id import is_session_id

MAX_BYTES = 16 << 10
MOST_OPEN = 64
MAX_PATH = 1024
_VERSION = 1
_MAX_NAME = 128
_MAX_NUMBER = 1 << 53
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_DOCUMENT, _EPOCH = re.compile(r"(?:[0-9a-f]{8})?", re.ASCII), re.compile(r"(?:[0-9a-f]{16})?", re.ASCII)


class BadSentry(ValueError):
    """The text says what is wrong with a file, for the log."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file in an editor. path: from the project's folder; changed: seconds since 1970, 0: not since opened.

    document: its id in that session; epoch: of the shared text that it shows, or empty; since: that session keeps the
    text since then (seconds since 1970), 0: it does not.
    """

    path: str
    changed: float = 0.0
    dirty: bool = False
    document: str = ""
    epoch: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Process:
    """Where a session runs. boot, namespace: in which pid and start (clock ticks after boot) mean something."""

    host: str
    boot: str
    namespace: str
    pid: int
    start: int


@dataclass(frozen=True, slots=True)
class Sentry:
    """One session. file: the active one, empty: none; line: from 1 on, 0: not known; heartbeat: seconds since 1970."""

    session: str
    user: str
    name: str
    process: Process
    heartbeat: float = 0.0
    file: str = ""
    line: int = 0
    open: tuple[OpenFile, ...] = ()

    def described(self) -> dict[str, object]:
        """What pages are told."""
        return {
            "session": self.session,
            "user": self.user,
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "open": [each.path for each in self.open],
        }


def encoded(sentry: Sentry) -> bytes:
    """The content of its file; of what does not fit into MAX_BYTES the last open files are left out."""
    fields = asdict(sentry)
    fields |= {"version": _VERSION, **fields.pop("process")}
    while len(content := json.dumps(fields).encode()) > MAX_BYTES and fields["open"]:
        fields["open"] = fields["open"][: len(fields["open"]) // 2]
    return content


def decoded(content: bytes) -> Sentry:
    """The sentry in a file's content; BadSentry. Whether it tells the truth is another question."""
    if len(content) > MAX_BYTES:
        raise BadSentry(f"it is larger than {MAX_BYTES // 1024} KiB")
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise BadSentry("it is no JSON") from None
    if not isinstance(fields, dict) or fields.get("version") != _VERSION:
        raise BadSentry(f"it has not the version {_VERSION}")
    return Sentry(
        session=_session(fields),
        user=_text(fields, "user", _MAX_NAME),
        name=_text(fields, "name", _MAX_NAME),
        process=_process(fields),
        heartbeat=_time(fields, "heartbeat"),
        file=_path(fields, "file") if fields.get("file") else "",
        line=_whole(fields, "line"),
        open=_open(fields),
    )


def is_inner_path(path: str) -> bool:
    """A path from the project's folder that stays inside, without control characters."""
    parts = path.split("/")
    return 0 < len(path) <= MAX_PATH and not _CONTROL.search(path) and not {"", ".", ".."} & set(parts)


def _process(fields: dict[str, object]) -> Process:
    return Process(
        host=_text(fields, "host", 255),
        boot=_text(fields, "boot", 64),
        namespace=_text(fields, "namespace", 64),
        pid=_whole(fields, "pid"),
        start=_whole(fields, "start"),
    )


def _session(fields: dict[str, object]) -> str:
    value = fields.get("session")
    if not isinstance(value, str) or not is_session_id(value):
        raise BadSentry("session is no session id")
    return value


def _open(fields: dict[str, object]) -> tuple[OpenFile, ...]:
    found = fields.get("open", [])
    if not isinstance(found, list) or len(found) > MOST_OPEN:
        raise BadSentry(f"open is no list of at most {MOST_OPEN} files")
    return tuple(_open_file(each) for each in found)


def _open_file(fields: object) -> OpenFile:
    if not isinstance(fields, dict) or not isinstance(fields.get("dirty", False), bool):
        raise BadSentry("an open file is no object of path, changed, dirty")
    return OpenFile(
        _path(fields, "path"),
        _time(fields, "changed"),
        fields.get("dirty", False),
        _hexadecimal(fields, "document", _DOCUMENT),
        _hexadecimal(fields, "epoch", _EPOCH),
        _time({**{"since": 0.0}, **fields}, "since"),
    )


def _hexadecimal(fields: dict[str, object], key: str, form: re.Pattern[str]) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str) or not form.fullmatch(value):
        raise BadSentry(f"{key} is no number in hexadecimal digits")
    return value


def _path(fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not is_inner_path(value):
        raise BadSentry(f"{key} is no path inside the project")
    return value


def _text(fields: dict[str, object], key: str, most: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or len(value) > most or _CONTROL.search(value):
        raise BadSentry(f"{key} is no text of at most {most} characters")
    return value


def _whole(fields: dict[str, object], key: str) -> int:
    value = fields.get(key)
    if type(value) is not int or not 0 <= value < _MAX_NUMBER:
        raise BadSentry(f"{key} is no whole number from 0 on")
    return value


def _time(fields: dict[str, object], key: str) -> float:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_NUMBER:
        raise BadSentry(f"{key} is no time")
    return float(value)
