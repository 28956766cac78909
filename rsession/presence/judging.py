"""Which sentry files are believed: each speaks for the owner of the file alone. Blocking."""

import os
import pwd
import stat
from collections import Counter
from dataclasses import dataclass, field, replace

from rserver_core.session_id import is_session_id, owner_digits
from rserver_core.user_name import shown_name
from rsession.presence.running import Life, life_of
from rsession.presence.sentry import MAX_BYTES, BadSentry, Sentry, decoded

MOST_ENTRIES = 4096
MOST_OF_ONE = 32
MOST_SESSIONS = 256
_MOST_NOTED = 256
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITABLE_BY_OTHERS = 0o022

_Stamp = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not believed, and why."""

    name: str
    uid: int
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """believed: sentries with the status of their files; refused: those not told before; asides: being written."""

    believed: list[tuple[Sentry, os.stat_result]] = field(default_factory=list)
    refused: tuple[Refused, ...] = ()
    asides: list[tuple[str, os.stat_result]] = field(default_factory=list)


class Judge:
    """Reads a folder again and again; files that did not change are not read anew."""

    def __init__(self, own_session: str) -> None:
        self._own = own_session
        self._known: dict[str, tuple[_Stamp, Sentry | str]] = {}
        self._noted: set[tuple[str, int, str]] = set()

    def read(self, folder: int) -> Judged:
        """All files in the folder of that descriptor. OSError."""
        judged = Judged()
        known: dict[str, tuple[_Stamp, Sentry | str]] = {}
        refused = []
        for name, status in _chosen(folder, self._own, judged):
            verdict = self._verdict(folder, name, status)
            known[name] = (_stamp(status), verdict)
            if isinstance(verdict, Sentry):
                judged.believed.append((verdict, status))
            else:
                refused += self._note(Refused(name, status.st_uid, verdict))
        self._known = known
        return replace(judged, refused=tuple(refused))

    def is_there(self, sentry: Sentry, age: float, most: float) -> bool:
        """Whether its session runs, as far as can be told; age: seconds since its file was renewed."""
        life = life_of(sentry.process)
        return life is Life.RUNS or (life is Life.UNKNOWN and age < most)

    def _verdict(self, folder: int, name: str, status: os.stat_result) -> Sentry | str:
        known = self._known.get(name)
        if known is not None and known[0] == _stamp(status):
            return known[1]
        try:
            return _read(folder, name)
        except BadSentry as error:
            return str(error)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"

    def _note(self, refused: Refused) -> list[Refused]:
        key = (refused.name, refused.uid, refused.reason)
        if key in self._noted or len(self._noted) >= _MOST_NOTED:
            return []
        self._noted.add(key)
        return [refused]


def _chosen(folder: int, own: str, judged: Judged) -> list[tuple[str, os.stat_result]]:
    """The files that are looked at: nobody crowds the others out."""
    chosen: list[tuple[str, os.stat_result]] = []
    counts: Counter[int] = Counter()
    with os.scandir(folder) as entries:
        for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False):
            if entry.name == own or not (is_session_id(entry.name) or entry.name.startswith(".")):
                continue
            try:
                status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            if entry.name.startswith("."):
                judged.asides.append((entry.name, status))
                continue
            counts[status.st_uid] += 1
            if counts[status.st_uid] <= MOST_OF_ONE and len(chosen) < MOST_SESSIONS:
                chosen.append((entry.name, status))
    return chosen


def _read(folder: int, name: str) -> Sentry:
    descriptor = os.open(name, _READ_FLAGS, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        _check_file(status)
        sentry = decoded(os.read(descriptor, MAX_BYTES + 1))
    finally:
        os.close(descriptor)
    return _of_owner(sentry, name, status.st_uid)


def _check_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadSentry("it is no regular file")
    if status.st_nlink != 1:
        raise BadSentry("it has other links")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise BadSentry("others than its owner may write it")
    if status.st_size > MAX_BYTES:
        raise BadSentry(f"it is larger than {MAX_BYTES // 1024} KiB")


def _of_owner(sentry: Sentry, name: str, uid: int) -> Sentry:
    """The name that is shown is the account's, not what the file says."""
    if sentry.session != name:
        raise BadSentry("it names another session than its own name")
    if name[:5] != owner_digits(uid):
        raise BadSentry("its session is not one of its owner")
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        raise BadSentry(f"its owner {uid} has no account here") from None
    if sentry.user != account.pw_name:
        raise BadSentry(f"it names the user {sentry.user[:64]!r} and belongs to {account.pw_name}")
    return replace(sentry, name=shown_name(account.pw_name, account.pw_gecos))


def _stamp(status: os.stat_result) -> _Stamp:
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode, status.st_uid)
