"""What a person is told about kept objects."""

import errno
import os
import time
from collections.abc import Mapping, Sequence

_SHOWN = 10
LITTLE_ROOM = 4 << 20
CANCELLED = "It was cancelled. What was saved before is as it was."


def size(count: float) -> str:
    """Bytes as a person writes them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def listing(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def loading_packages(count: int) -> str:
    """Why nothing runs yet after a resume."""
    are = "1 package that was loaded is" if count == 1 else f"{count} packages that were loaded are"
    return f"{are} being loaded again. What is typed runs when that is done."


def failure(outcome: Mapping[str, object] | None, folder: str) -> str:
    """Why a snapshot was not written to the folder, from the writer's last word; None when it had none."""
    if outcome is None:
        return "The process that writes the objects was killed. What was saved before is as it was."
    needed = float(str(outcome.get("needed", 0)))
    if outcome["end"] == "limit":
        return (
            f"The objects take {size(needed)}, more than the {size(float(str(outcome['limit'])))} that may be kept. "
            "Remove large objects, or save them to files."
        )
    if outcome["end"] == "full":
        return (
            f"There is not enough room for the objects in {folder}: {_needed(needed)}{size(_free(folder))} are free on "
            "that disk (your quota may allow less). Delete or move files there, or remove large objects. "
            "What was saved before is as it was."
        )
    number = int(str(outcome.get("errno", 0)))
    reason = os.strerror(number) if number else "R failed"
    return f"The objects could not be written: {errno.errorcode.get(number, '')} {reason}.".replace(":  ", ": ")


def _needed(needed: float) -> str:
    return f"{size(needed)} are needed, " if needed > 0 else ""


def _free(folder: str) -> float:
    try:
        room = os.statvfs(folder)
    except OSError:
        return 0.0
    return float(room.f_bavail) * room.f_frsize


def restored(report: Mapping[str, object]) -> list[tuple[str, str]]:
    """Kind and text of the messages after objects were found."""
    messages = []
    if report["r_version"] is not None:
        text = f"These objects were saved by R {report['r_version']}; library paths stay those of this R."
        messages.append(("warning", text))
    complaints = report["complaints"]
    if isinstance(complaints, list):
        messages += [("warning", str(text)) for text in complaints]
    return messages + _lost(report["lost"])


def begun_again(saved: float | None, was_suspended: bool, is_restart: bool, now: float) -> str:
    """What the console shows between two processes; saved, now: seconds since 1970, saved: of the objects if any."""
    here = _moment(now)
    if is_restart or saved is None:
        return f"R was started again at {here}."
    if was_suspended:
        return f"Session suspended at {_moment(saved)}, resumed at {here}."
    return f"R was started again at {here}, with the objects of {_moment(saved)}."


def _moment(at: float) -> str:
    """In the one form that pages know, and show in the zone of their user."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def not_restored(aside: str) -> str:
    """The session began without its objects, which are in that folder."""
    return (
        f"The objects of this session were not restored. They are kept in {aside}. To have them back, choose "
        "Session → Take back objects set aside."
    )


def cannot_keep(folder: str, error: OSError) -> str:
    """There is no place for the objects of this session."""
    return (
        f"Nothing of this session can be stored in {folder} ({error.strerror}): it cannot be suspended, and its "
        "objects are lost when it ends. Make room there, then start the session again."
    )


def little_room(folder: str) -> str:
    """Hardly anything can be stored for this session; empty when there is room, as far as can be seen."""
    free = _free(folder)
    if free >= LITTLE_ROOM:
        return ""
    return (
        f"Only {size(free)} are free on the disk of {folder}: the objects of this session cannot be saved, and are "
        "lost when it ends, until you delete or move files."
    )


def unreadable_image(path: str) -> str:
    """R could not read .RData at its start."""
    return (
        f"The saved workspace {path} could not be read, it may be damaged: its objects are not here. The file is as it "
        f"was. When the workspace is saved at the end, it is set aside as {path}.damaged with the time."
    )


def left_out(name: str) -> str:
    """An object that R uses by itself could not be read back, and would have stopped R ever after."""
    if name == ".Random.seed":
        return "The state of the random numbers (.Random.seed) was left out: they begin anew."
    return f"The object {name}, which R uses by itself, was left out."


def _lost(lost: object) -> list[tuple[str, str]]:
    messages = []
    if isinstance(lost, dict) and lost.get("pointers"):
        names = listing(lost["pointers"])
        text = f"These objects were connected to something outside of R and must be made anew: {names}."
        messages.append(("warning", text))
    if isinstance(lost, dict) and lost.get("failed"):
        messages.append(("warning", f"R could not save these objects: {listing(lost['failed'])}."))
    return messages
