"""The shared projects that this server knows: in memory, and as files for their people."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from twisted.logger import Logger

from rserver.clock import Clock
from rserver.sharing.people import People
from rserver.sharing.project_files import CannotKeep, ProjectFiles
from rserver.sharing.refused import UNAVAILABLE, ShareRefused
from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads
from rserver_core.shared_project import SharedProject, Unfinished
from rserver_core.shared_project_folder import Ignored, Known, SharedFolder, staleness

_SECONDS = 20.0
_FRESH_SECONDS = 2.0
_BROKEN_OFF = "The server was stopped before access was changed everywhere."

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_T = TypeVar("_T")

_log = Logger()
_Place = tuple[str, str]


class KnownProjects:
    """By owner and folder. What is in memory was written by us; files that are gone or came back are looked at again.

    threads: where files are read and written.
    """

    def __init__(self, files: ProjectFiles, writer: int, clock: Clock, threads: WorkerThreads, people: People) -> None:
        self._files, self._clock, self._threads, self._people = files, clock, threads, people
        self._folder = SharedFolder(files.path, writer)
        self._known: dict[_Place, Known] = {}
        self._read_at = float("-inf")
        self._stale: dict[_Place, str] = {}
        self._changes = 0
        self.on_change: Callable[[], object] = lambda: None
        """Who shares what is not as it was."""

    @property
    def path(self) -> str:
        """The folder of the files."""
        return self._files.path

    async def begin(self) -> None:
        """Make the folder, read what is there. CannotKeep, ShareRefused."""
        await self._run(self._files.make)
        await self._read()
        for known in list(self._known.values()):
            begun = known.project.unfinished
            if begun is not None and not begun.reason:
                # It was going on when the server before us ended.
                unfinished = Unfinished(begun.members, _BROKEN_OFF)
                await self.put(replace(known.project, unfinished=unfinished), known.owner_uid)

    async def refresh(self) -> None:
        """Look at the files again, unless that was just done."""
        if self._clock.seconds() - self._read_at >= _FRESH_SECONDS:
            try:
                await self._read()
            except CannotKeep as error:
                _log.error("shared projects are not read again: {reason}", reason=str(error))

    async def _read(self) -> None:
        changes, self._read_at = self._changes, self._clock.seconds()
        try:
            found, ignored, stale = await self._run(self._look)
        except OSError as error:
            raise CannotKeep(f"{self.path} cannot be read: {error.strerror}.") from None
        except (ThreadsBusy, ThreadTimeout) as error:
            raise CannotKeep(f"{self.path} cannot be read: {error}.") from None
        for each in ignored:
            _log.warn("shared project {name} is ignored: {reason}", name=each.name, reason=each.reason)
        # What was written meanwhile is newer than what was read.
        if changes == self._changes:
            self._tell_stale(stale)
            self._known = {(each.project.owner, each.project.folder): each for each in found}
            self.on_change()

    def _look(self) -> tuple[list[Known], list[Ignored], dict[_Place, str]]:
        """On another thread. Homes are mostly closed to us: what cannot be seen is not stale."""
        found, ignored = self._folder.read()
        stale = {(each.project.owner, each.project.folder): why for each in found if (why := staleness(each))}
        return found, ignored, stale

    def _tell_stale(self, stale: dict[_Place, str]) -> None:
        for place in stale.keys() - self._stale.keys():
            _log.warn("shared project of {owner} is not listed: {reason}", owner=place[0], reason=stale[place])
        self._stale = stale

    def find(self, owner: str, folder: str) -> Known | None:
        """The project in that folder of that owner."""
        return self._known.get((owner, folder))

    def of_owner(self, owner: str) -> list[SharedProject]:
        """What this account shares, as far as it is still there."""
        return [each.project for place, each in self._known.items() if place[0] == owner and place not in self._stale]

    def in_folder(self, folder: str, user: str) -> Known | None:
        """The project in that folder, if this user is one of its people."""
        there = (each for each in self._known.values() if each.project.folder == folder)
        return next((each for each in there if each.project.is_for(user)), None)

    def shared_in(self, folder: str) -> bool:
        """Somebody shares that folder."""
        return any(each.project.folder == folder for each in self._known.values())

    def shared_with(self, user: str) -> list[Known]:
        """Projects of others of which this user is a member, the newest first."""
        theirs = [
            each for place, each in self._known.items() if user in each.project.shared and place not in self._stale
        ]
        return sorted(theirs, key=lambda each: each.project.shared[user], reverse=True)

    async def put(self, project: SharedProject, owner_uid: int) -> Known:
        """Keep it, and let its people read of it. ShareRefused."""
        known = Known(project, owner_uid)
        readers = [owner_uid, *await self._people.uids(project.members)]
        await self._change(lambda: self._files.write(known, readers))
        self._known[project.owner, project.folder] = known
        self.on_change()
        return known

    async def remove(self, known: Known) -> None:
        """It is shared no longer. ShareRefused."""
        await self._change(lambda: self._files.remove(known))
        self._known.pop((known.project.owner, known.project.folder), None)
        self.on_change()

    async def _change(self, change: Callable[[], None]) -> None:
        self._changes += 1
        try:
            await self._run(change)
        except CannotKeep as error:
            raise ShareRefused(str(error), UNAVAILABLE) from None
        except (ThreadsBusy, ThreadTimeout):
            raise ShareRefused(f"{self.path} cannot be written: it takes too long.", UNAVAILABLE) from None
        finally:
            # A look that began meanwhile may have seen what was there before.
            self._changes += 1

    def _run(self, call: Callable[[], _T]) -> "Deferred[_T]":
        return self._threads.run_within(_SECONDS, self._clock, call)
