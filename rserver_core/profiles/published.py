"""The profiles that count on a running server, as the master writes them for all its processes."""

import json
import os

from rserver_core.profiles.profiles import Profiles

FILE_NAME = "profiles.json"
_MOST_BYTES = 1 << 24


class Unreadable(Exception):
    """There are profiles, but what they say cannot be known; the text says why."""


def write(run_dir: str, profiles: Profiles) -> None:
    """Replace what counted before, whole; OSError."""
    path = os.path.join(run_dir, FILE_NAME)
    aside = f"{path}.{os.getpid()}"
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with open(fd, "w", encoding="ascii") as file:
        json.dump(profiles.to_json(), file)
        file.flush()
        os.fsync(fd)
    os.rename(aside, path)


def read(run_dir: str) -> Profiles:
    """What counts now; no profiles where none were written. Unreadable."""
    try:
        with open(os.path.join(run_dir, FILE_NAME), encoding="ascii") as file:
            return Profiles.from_json(json.loads(file.read(_MOST_BYTES)))
    except FileNotFoundError:
        return Profiles()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(f"the profiles cannot be read: {error}") from None
