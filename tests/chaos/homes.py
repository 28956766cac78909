"""Homes of the users of a run: each a small file system of its own, which can fill up."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.system.accounts import Account, account, kill_processes_of

HOME_BYTES = 512 << 20
HOME_INODES = 20_000
_REMOUNT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Home:
    """Of one user."""

    owner: Account

    @property
    def path(self) -> Path:
        """Its root."""
        return self.owner.home

    def fill(self, left: int) -> None:
        """Leave so many bytes."""
        used = self._used()
        self._remount(f"size={used + left}")

    def use_up_inodes(self, left: int) -> None:
        """Leave so many files."""
        found = os.statvfs(self.path)
        self._remount(f"nr_inodes={found.f_files - found.f_ffree + left}")

    def make_read_only(self) -> bool:
        """False when somebody writes there all the time."""
        return self._remount("ro", patience=_REMOUNT_SECONDS)

    def heal(self) -> None:
        """As it was at first."""
        if not self._remount(f"rw,size={HOME_BYTES},nr_inodes={HOME_INODES}"):
            raise AssertionError(f"{self.path} cannot be mounted as it was")

    def _used(self) -> int:
        found = os.statvfs(self.path)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def _remount(self, options: str, patience: float = 0.0) -> bool:
        deadline = time.monotonic() + patience
        argv = ["mount", "-o", f"remount,{options}", str(self.path)]
        while subprocess.run(argv, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


@contextlib.contextmanager
def homes(count: int) -> Iterator[list[Home]]:
    """So many users with a file system each; both are gone afterwards."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(_home()) for _ in range(count)]


@contextlib.contextmanager
def _home() -> Iterator[Home]:
    with account("rsc") as owner:
        owned = f"mode=0700,uid={owner.uid},gid={owner.gid}"
        options = f"size={HOME_BYTES},nr_inodes={HOME_INODES},{owned}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(owner.home)], check=True)
        try:
            for number in range(4):
                folder = owner.home / f"d{number}"
                folder.mkdir()
                os.chown(folder, owner.uid, owner.gid)
            yield Home(owner)
        finally:
            kill_processes_of(owner.uid)
            for path in temporary_of(owner.uid):
                shutil.rmtree(path, ignore_errors=True)
            subprocess.run(["umount", "--lazy", str(owner.home)], check=True)


def temporary_of(uid: int) -> list[Path]:
    """What a user has left where everybody may write."""
    found = []
    for folder in (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp")):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                found += [path] if path.lstat().st_uid == uid else []
    return found
