"""What must be remembered of one owner's shared projects, in files that only this program's starter can reach.

`<uid>.json`: projects and their people; written aside and renamed. `<uid>-<number>.lists`: the manifest of one
project; `<uid>-way.lists`: that of the folders on the way to them. `<uid>.lock`: held while a run is under way.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from typing import Any, NamedTuple

from rserver_acls.refusal import Refusal

_PATIENCE_SECONDS = 1.0
MEMBER, JOINING, LEAVING, PAST = "member", "joining", "leaving", "past"
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC
Place = tuple[int, int]
"""Device and inode of a project's folder."""
NOWHERE: Place = (0, 0)


class Person(NamedTuple):
    """Somebody of a project. joining and leaving: a run has begun and has not ended. past: left files, maybe."""

    uid: int
    standing: str


class Project(NamedTuple):
    """One shared project. since: when the first run that has not ended began, in ns since 1970; 0: none.

    place: its folder, by which it is found when it was moved.
    """

    number: int
    people: dict[str, Person]
    since: int = 0
    expected: int = 0
    place: Place = NOWHERE

    def uids(self, *standings: str) -> frozenset[int]:
        """Of the people with one of these standings."""
        return frozenset(person.uid for person in self.people.values() if person.standing in standings)

    def withdrawn(self) -> "Project":
        """The same, with everybody leaving who had not left."""
        people = {
            name: person if person.standing == PAST else person._replace(standing=LEAVING)
            for name, person in self.people.items()
        }
        return self._replace(people=people)


class Store:
    """The files of one owner, locked from the start until close()."""

    def __init__(self, directory: str, owner: int) -> None:
        """Refusal `busy` while another run holds them; OSError when the directory cannot be used."""
        self._owner = owner
        self._fd = _directory(directory)
        self._lock = self._open(f"{owner}.lock", os.O_RDWR | os.O_CREAT)
        _wait_for(self._lock)
        self.projects: dict[str, Project] = {}
        # Nothing was ever written, or it is lost.
        self.is_new = False
        self._load()

    def project(self, path: str) -> Project:
        """What is known of the project in that folder; a new one when nothing is."""
        if path in self.projects:
            return self.projects[path]
        taken = {project.number for project in self.projects.values()}
        return Project(next(number for number in range(len(taken) + 1) if number not in taken), {})

    def adopt(self, path: str, place: Place) -> str:
        """A project of which nothing is known at path, but at an earlier path of this folder, is at path now.

        Nobody is a member at the new place: whoever was one is to lose what he has. Kept by the next save().
        The answer: the earlier path, or empty.
        """
        earlier = [each for each, project in self.projects.items() if project.place == place != NOWHERE]
        if not earlier or path in self.projects:
            return ""
        self.projects[path] = self.projects.pop(earlier[0]).withdrawn()
        return earlier[0]

    def save(self, path: str, project: Project) -> None:
        """Remember this, for good when it returns; a project without people is forgotten with its manifest."""
        self.projects[path] = project
        if not project.people:
            del self.projects[path]
        self._write()
        # Only after this can no later run need it.
        if not project.people:
            self._forget(project)

    def open_manifest(self, project: Project) -> int:
        """Descriptor of the project's manifest. An old one of the same number is emptied."""
        fresh = 0 if project.people else os.O_TRUNC
        return self._open(self._manifest(project), os.O_RDWR | os.O_CREAT | fresh)

    def open_way(self) -> int:
        """Descriptor of the manifest of the folders on the way."""
        fresh = 0 if self.projects else os.O_TRUNC
        return self._open(self._way(), os.O_RDWR | os.O_CREAT | fresh)

    def close(self) -> None:
        """Let the next run in."""
        os.close(self._lock)
        os.close(self._fd)

    def _way(self) -> str:
        return f"{self._owner}-way.lists"

    def _manifest(self, project: Project) -> str:
        return f"{self._owner}-{project.number}.lists"

    def _forget(self, project: Project) -> None:
        for name in (self._manifest(project), *(() if self.projects else (self._way(),))):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._fd)

    def _load(self) -> None:
        try:
            fd = self._open(f"{self._owner}.json", os.O_RDONLY)
        except FileNotFoundError:
            self.is_new = True
            return
        with open(fd, "rb") as file:
            content = json.load(file)
        self.projects = {path: _project(value) for path, value in content["projects"].items()}

    def _write(self) -> None:
        name = f"{self._owner}.json"
        fd = self._open(f"{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with open(fd, "wb") as file:
            file.write(json.dumps({"version": 1, "projects": self.projects}).encode())
            file.flush()
            os.fsync(file.fileno())
        os.rename(f"{name}.new", name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        os.fsync(self._fd)

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | _OPEN, 0o600, dir_fd=self._fd)


def _wait_for(lock: int) -> None:
    # The child of a run that was killed holds it for as long as it takes to die.
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                message = "Access to a project of this owner is being changed; try again later."
                raise Refusal("busy", message) from None
            time.sleep(0.01)


def _project(value: list[Any]) -> Project:
    number, people, since, expected, *place = value
    project = Project(number, {name: Person(*person) for name, person in people.items()}, since, expected)
    return project._replace(place=(place[0][0], place[0][1])) if place else project


def _directory(path: str) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _OPEN)
    status = os.fstat(fd)
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        os.close(fd)
        raise OSError(
            errno.EPERM, "The folder of the books must belong to who runs rserver-acls, closed to all others", path
        )
    return fd
