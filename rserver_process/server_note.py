"""A note in server-lib-dir by which a running server is found when its run directory was removed."""

import contextlib
import json
import os

from rserver_process import kernel_files
from rserver_process.process_table import is_alive, start_ticks

FILE_NAME = "rserver.running"
_MOST_BYTES = 1 << 14


def write(lib_dir: str, run_dir: str) -> None:
    """Note that this process is the master of the server that has run_dir; OSError."""
    content = {"pid": os.getpid(), "start": start_ticks(os.getpid()), "boot": _boot(), "run_dir": run_dir}
    path = os.path.join(lib_dir, FILE_NAME)
    aside = f"{path}.{os.getpid()}"
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with open(fd, "w", encoding="ascii") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(fd)
    os.rename(aside, path)


def master_of(lib_dir: str, run_dir: str) -> int | None:
    """The pid of the master that noted it, while it lives. A note of another machine or run directory names nobody."""
    content = _read(lib_dir)
    pid, start = content.get("pid"), content.get("start")
    is_here = content.get("boot") == _boot() and content.get("run_dir") == run_dir
    if is_here and isinstance(pid, int) and isinstance(start, int) and is_alive(pid, start):
        return pid
    return None


def remove(lib_dir: str, run_dir: str) -> None:
    """Remove the note if it is this process's."""
    if master_of(lib_dir, run_dir) == os.getpid():
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(lib_dir, FILE_NAME))


def _read(lib_dir: str) -> dict[str, object]:
    try:
        fd = os.open(os.path.join(lib_dir, FILE_NAME), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, encoding="ascii") as file:
            content = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _boot() -> str:
    return kernel_files.read("/proc/sys/kernel/random/boot_id").strip()
