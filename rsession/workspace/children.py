"""Processes that R has started and that still run."""

import os

_WRITER = "rsession-writer"


def child_names() -> list[str]:
    """Names with process ids of this process's children, zombies and the writer of a snapshot left out."""
    names = []
    for child in _children():
        name, state = _status(child)
        if name != _WRITER and state not in ("", "Z", "X"):
            names.append(f"{name} ({child})")
    return names


def _children() -> list[int]:
    found: list[int] = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return sorted(found)


def _status(pid: int) -> tuple[str, str]:
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except OSError:
        return "", ""
    return text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2]
