"""The run directory of a running server: kept from cleaners, and made again when somebody removed it all the same."""

import contextlib
import fcntl
import os
from pathlib import Path

from rserver.supervisor.directories import lock_pid_file
from rserver.supervisor.exit_codes import StartRefused
from rserver.supervisor.places import Places
from rserver.supervisor.service import log
from rserver_core.profiles import published as published_profiles
from rserver_core.profiles.profiles import Profiles
from rserver_process import server_note


class RunDirectory:
    """What the master itself keeps there: the locked pid file, which may lie elsewhere, and the profiles."""

    def __init__(self, places: Places, pid_file: Path) -> None:
        """Make it; StartRefused, also while another server has it."""
        self._places, self._pid_file = places, pid_file
        self._profiles: Profiles | None = None
        places.make()
        self._lock = lock_pid_file(pid_file)
        self._kept = _keep(places.run_dir)
        with contextlib.suppress(OSError):
            server_note.write(str(places.lib_dir), str(places.run_dir))

    def publish(self, profiles: Profiles) -> None:
        """Tell every process of the server which profiles count; OSError, and nothing changes."""
        published_profiles.write(str(self._places.run_dir), profiles)
        self._profiles = profiles

    def is_whole(self) -> bool:
        """What was made there is there. Costs three looks at files."""
        try:
            is_ours = os.path.samestat(os.stat(self._pid_file), os.fstat(self._lock))
            is_same = os.path.samestat(os.stat(self._places.run_dir), os.fstat(self._kept))
            return is_ours and is_same and (self._places.run_dir / published_profiles.FILE_NAME).exists()
        except OSError:
            return False

    def make_again(self) -> bool:
        """False when that cannot be done: the log tells why."""
        path = self._places.run_dir
        try:
            self._places.make()
            former, self._lock = self._lock, self._locked()
            if former != self._lock:
                os.close(former)
            os.close(self._kept)
            self._kept = _keep(path)
            if self._profiles is not None:
                self.publish(self._profiles)
        except (OSError, StartRefused) as error:
            log(f"{path} was removed while the server runs, and cannot be made again: {error}")
            return False
        log(f"{path} was removed while the server runs; it was made again")
        return True

    def close(self) -> None:
        """Another server may have it."""
        server_note.remove(str(self._places.lib_dir), str(self._places.run_dir))
        os.close(self._kept)
        os.close(self._lock)

    def _locked(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self._pid_file), os.fstat(self._lock)):
                return self._lock
        return lock_pid_file(self._pid_file)


def _keep(path: Path) -> int:
    """A descriptor with a lock by which systemd-tmpfiles lets the folder be (tmpfiles.d(5))."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    # What a killed master had just forked may hold it for a moment.
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd
