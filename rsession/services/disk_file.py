"""Reading and replacing whole files; neither a crash nor a full disk costs the user the old text. Blocking."""

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_UNSUPPORTED = {errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL}


@dataclass(frozen=True)
class Stamp:
    """How a file looked when it was read or written."""

    mtime_ns: int
    size: int
    digest: str

    def is_of(self, path: Path) -> bool:
        """Whether the file still has this content; a changed time alone does not count. A missing file: False."""
        try:
            now = path.stat()
            if (now.st_mtime_ns, now.st_size) == (self.mtime_ns, self.size):
                return True
            return now.st_size == self.size and digest(read_bytes(path, self.size)[0]) == self.digest
        except OSError:
            return False


def digest(content: bytes) -> str:
    """A short hash that tells contents apart."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def read_bytes(path: Path, limit: int) -> tuple[bytes, Stamp]:
    """At most `limit` + 1 bytes of a regular file and its stamp; raises OSError, EINVAL for what is no regular file."""
    descriptor = os.open(path, _READ_FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        content = file.read(limit + 1)
    return content, Stamp(found.st_mtime_ns, found.st_size, digest(content))


def replace_file(path: Path, content: bytes) -> Stamp:
    """Write aside, fsync, rename; symbolic links are followed, mode, owner, ACL and extended attributes stay.

    Raises OSError; the old file is then as it was. Where only the file itself can keep its owner or its other hard
    links, it is overwritten, with the new content beside it until that is done.
    """
    target = Path(os.path.realpath(path))
    old = _existing(target)
    aside = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        _write_new(aside, content, old, target)
        takes_its_place = old is None or (old.st_nlink == 1 and _own(aside, old))
        if takes_its_place:
            aside.rename(target)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    if not takes_its_place:
        _overwrite(target, content)
        aside.unlink()
    sync_folder(target.parent)
    written = target.stat()
    return Stamp(written.st_mtime_ns, written.st_size, digest(content))


def write_private(path: Path, content: bytes) -> None:
    """Replace one of the session's own files (mode 0600): aside, fsync, rename. Raises OSError."""
    aside = path.with_name(f".{path.name}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        aside.rename(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Bring renames inside the folder to disk; a file system that cannot is left alone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _existing(target: Path) -> os.stat_result | None:
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected")
    return found


def _write_new(aside: Path, content: bytes, old: os.stat_result | None, target: Path) -> None:
    descriptor = os.open(aside, _NEW_FLAGS, 0o666 if old is None else 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if old is not None:
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
            _copy_attributes(target, descriptor)
        os.fsync(descriptor)


def _copy_attributes(source: Path, descriptor: int) -> None:
    try:
        names = os.listxattr(source)
    except OSError:
        return
    for name in names:
        try:
            os.setxattr(descriptor, name, os.getxattr(source, name))
        except OSError as error:
            # Labels of the security module belong to the system; losing an ACL would lock members out.
            if name.startswith("system.posix_acl") or error.errno not in _UNSUPPORTED:
                raise


def _own(aside: Path, old: os.stat_result) -> bool:
    new = aside.stat()
    if (new.st_uid, new.st_gid) == (old.st_uid, old.st_gid):
        return True
    try:
        os.chown(aside, old.st_uid, old.st_gid)
        aside.chmod(stat.S_IMODE(old.st_mode))
    except OSError:
        return False
    return True


def _overwrite(target: Path, content: bytes) -> None:
    with target.open("r+b") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
