"""Which files of a folder were made or written between two looks."""

import os
from collections.abc import Iterator

MOST_FILES = 10_000

Look = dict[str, tuple[int, int, int]]
"""Inode, size and time of change (ns) of each file by its name below the folder, with slashes."""


def look(folder: str) -> Look:
    """The regular files in a folder and below, at most the first 10,000; links are not followed."""
    found: Look = {}
    for entry in _files(folder):
        if len(found) >= MOST_FILES:
            break
        try:
            about = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        found[os.path.relpath(entry.path, folder)] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


def changed(before: Look, after: Look) -> list[str]:
    """Names of the files that are new or differ, sorted."""
    return sorted(name for name, about in after.items() if before.get(name) != about)


def _files(folder: str) -> Iterator["os.DirEntry[str]"]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry
