"""The file that tells owner and members of a shared project about it: its name, its content, its bounds. Pure."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from rserver_core.session_id import owner_digits
from rserver_core.user_name import is_user_name

ENDING = ".proj"
MAX_BYTES = 1 << 18
MAX_MEMBERS = 200
MAX_PATH = 4096
_NAME = re.compile(r"([0-9a-f]{5})([0-9a-f]{8})\.proj", re.ASCII)
_MAX_SENTENCE = 2000


class BadSharedProject(ValueError):
    """What is no such file; the text says why."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A change that has begun, or broke off. members: whom it leads to; reason: a sentence, empty while it runs."""

    members: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SharedProject:
    """A project with its people. id: 8 hex digits; shared: seconds since 1970 when each member came.

    file: its project file, or empty when that is not known.
    """

    id: str
    folder: str
    owner: str
    shared: dict[str, float] = field(default_factory=dict)
    file: str = ""
    updated_by: str = ""
    unfinished: Unfinished | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Those who may use it besides its owner, by name."""
        return tuple(sorted(self.shared))

    def is_for(self, user: str) -> bool:
        """Owner or member."""
        return user == self.owner or user in self.shared

    def with_members(self, names: "tuple[str, ...] | list[str]", now: float) -> "dict[str, float]":
        """`shared` of exactly these: who was one before keeps the time."""
        return {name: self.shared.get(name, round(now, 3)) for name in sorted(names)}


def file_name(owner_uid: int, project_id: str) -> str:
    """Of the file of a project."""
    return f"{owner_digits(owner_uid)}{project_id}{ENDING}"


def id_in(name: str, owner_uid: int) -> str:
    """The project's 8 digits in a file's name; BadSharedProject unless it is a name for that owner."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadSharedProject("its name is not that of a shared project")
    if found[1] != owner_digits(owner_uid):
        raise BadSharedProject("its name does not belong to the owner that it names")
    return found[2]


def is_file_name(name: str) -> bool:
    """A file of such a name may be one."""
    return _NAME.fullmatch(name) is not None


def encode(project: SharedProject) -> bytes:
    """The content of the file."""
    times = [{"time": round(project.shared[name] * 1000), "user": name} for name in project.members]
    value: dict[str, Any] = {
        "project_dir": project.folder,
        "project_file": project.file,
        "project_owner": project.owner,
        "share_times": times,
        "shared_with": list(project.members),
        "updated_by": project.updated_by or project.owner,
    }
    if project.unfinished is not None:
        value["unfinished"] = {"members": list(project.unfinished.members), "reason": project.unfinished.reason}
    return json.dumps(value, indent=1).encode() + b"\n"


def decode(content: bytes, project_id: str) -> SharedProject:
    """From a file's content; BadSharedProject. Unknown fields are ignored."""
    if len(content) > MAX_BYTES:
        raise BadSharedProject(f"it is larger than {MAX_BYTES // 1024} KiB")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise BadSharedProject("it is no JSON") from None
    if not isinstance(value, dict):
        raise BadSharedProject("it is no JSON object")
    members = _names(value.get("shared_with"), "shared_with")
    owner = value.get("project_owner")
    if not isinstance(owner, str) or not is_user_name(owner) or owner in members:
        raise BadSharedProject("project_owner is no account name, or a member too")
    folder, file = value.get("project_dir"), value.get("project_file", "")
    if not _is_path(folder) or not (file == "" or _is_path(file)):
        raise BadSharedProject("project_dir or project_file is no absolute path")
    times = _times(value.get("share_times", []))
    by = value.get("updated_by", owner)
    return SharedProject(
        project_id,
        str(folder),
        owner,
        {name: times.get(name, 0.0) for name in members},
        str(file),
        by if isinstance(by, str) and is_user_name(by) else owner,
        _unfinished(value.get("unfinished")),
    )


def _names(value: object, field_name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_MEMBERS:
        raise BadSharedProject(f"{field_name} is no list of at most {MAX_MEMBERS} names")
    if not all(isinstance(name, str) and is_user_name(name) for name in value) or len(set(value)) != len(value):
        raise BadSharedProject(f"{field_name} holds something else than account names, each once")
    return tuple(value)


def _is_path(value: object) -> bool:
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable():
        return False
    return len(value.encode()) <= MAX_PATH and not any(part in {".", ".."} for part in value.split("/"))


def _times(value: object) -> dict[str, float]:
    """Seconds by name. What is none of them is left out: the time is only shown."""
    found: dict[str, float] = {}
    for each in value[: 2 * MAX_MEMBERS] if isinstance(value, list) else []:
        if isinstance(each, dict) and isinstance(user := each.get("user"), str):
            time = each.get("time")
            if isinstance(time, (int, float)) and not isinstance(time, bool) and 0 <= time < 1e14:
                found[user] = time / 1000
    return found


def _unfinished(value: object) -> Unfinished | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(reason := value.get("reason", ""), str):
        raise BadSharedProject("unfinished is no object with members and a reason")
    return Unfinished(_names(value.get("members"), "unfinished.members"), reason[:_MAX_SENTENCE])
