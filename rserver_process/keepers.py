"""The table of running sessions of this machine, each held by its keeper."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from rserver_core.frame import FrameError
from rserver_core.launch_wire import LaunchSpec, SessionRecord
from rserver_process import cgroup
from rserver_process.cgroup_places import places
from rserver_process.event_loop import Loop, Timer, Watch
from rserver_process.keeper import KeeperContext, OpenSession, keep, order
from rserver_process.keeper_forker import KeeperForker
from rserver_process.keeper_link import KeeperLink, LaunchRefused
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.log_line import log_line
from rserver_process.process_table import is_alive, send_to_session
from rserver_process.run_records import RunDirectoryError, RunRecords, SessionExit
from rserver_process.templates import Templates

__all__ = ["Keepers", "LaunchRefused", "UnknownSession"]

_ORDER_SECONDS = 5.0
_SWEEP_SECONDS = 2.0
_CUT_OFF_SECONDS = 30.0
_NOTE_SECONDS = 60.0
_MOST_ENDS = 1000

Done = Callable[[SessionRecord | LaunchRefused], None]


class UnknownSession(Exception):
    """No such session runs."""


@dataclass(slots=True)
class _Running:
    """A session that runs: watches of its process and of its keeper (None once the keeper is gone)."""

    record: SessionRecord
    process: Watch | None
    keeper: Watch | None


class Keepers:
    """Starts sessions, signals them, knows which run, and finds those again that an earlier process started.

    run_dir holds the folder sessions/, which is made here. on_started gets every session that was launched (not
    adopted ones), on_exited every end, also of adopted ones. open_session opens the PAM session inside the keeper;
    None: sessions run without PAM. Policy holds here whatever the caller says: never root, uid at least
    settings.minimum_uid, and without root only ourselves.
    """

    def __init__(
        self,
        loop: Loop,
        run_dir: str,
        settings: KeeperSettings,
        on_started: Callable[[SessionRecord], None],
        on_exited: Callable[[SessionExit], None],
        open_session: OpenSession | None = None,
        pam_service: str | None = None,
    ) -> None:
        """RunDirectoryError when sessions/ cannot be used. pam_service: what open_session opens, by name."""
        self._loop, self._settings, self._pam_service = loop, settings, pam_service
        self._on_started, self._on_exited = on_started, on_exited
        self._files = RunRecords(run_dir)
        self._files.prepare()
        self._forker, self._templates = self._forkers(open_session)
        self._running: dict[str, _Running] = {}
        self._launching: dict[str, list[Done]] = {}
        self._ends: dict[str, SessionExit] = {}
        self._links: set[KeeperLink] = set()
        self._restoring: Timer | None = None

    def limits(self) -> str:
        """What holds the limits of sessions on this machine, for the log."""
        return places().describe()

    def adopt(self) -> None:
        """Take over the sessions of the records in the run directory; call once, before the first launch.

        Sessions that ended meanwhile are reported to on_exited from here.
        """
        for end in self._files.ends():
            self._remember(end)
        for record in self._files.records():
            self._adopt(record)
        cgroup.sweep()
        # Keepers that were killed with everything else may not have left /proc yet.
        self._loop.call_later(_SWEEP_SECONDS, cgroup.sweep)

    def reload(self, settings: KeeperSettings, open_session: OpenSession | None, pam_service: str | None) -> None:
        """Sessions are started so from now on. Those that run, or are being started, go on."""
        if (settings, pam_service) == (self._settings, self._pam_service):
            return
        self._close_forkers()
        self._settings, self._pam_service = settings, pam_service
        self._forker, self._templates = self._forkers(open_session)

    def restore(self) -> None:
        """Write down again what was removed from the run directory.

        A session without its socket is told to suspend itself, again and again while something stands against it:
        nobody new can reach it, and its next process gets another socket.
        """
        try:
            self._files.prepare()
            for running in self._running.values():
                self._files.restore(running.record)
        except (OSError, RunDirectoryError) as error:
            log_line("sessions", f"their records cannot be written again: {error}")
        cut_off = [running for running in self._running.values() if not os.path.exists(running.record.socket)]
        for running in cut_off:
            if running.process:
                log_line(
                    "sessions", f"the socket of {running.record.session} was removed: it is told to suspend itself"
                )
                running.process.send(signal.SIGUSR1)
        if self._restoring:
            self._restoring.cancel()
        self._restoring = self._loop.call_later(_CUT_OFF_SECONDS, self.restore) if cut_off else None

    def records(self) -> list[SessionRecord]:
        """Every session that runs."""
        return [running.record for running in self._running.values()]

    def ends(self) -> list[SessionExit]:
        """How sessions ended of late that do not run now: who was told of it may have died before it was known."""
        return list(self._ends.values())

    def attended(self) -> int:
        """How many keepers started from here have not ended yet; a session's end is told before its keeper's."""
        return len(self._links)

    def launch(self, spec: LaunchSpec, done: Done) -> None:
        """Start a session. done gets its record once it runs, or why there is none; perhaps before this returns.

        However many ask for the same session while it starts, one process is started: the first is answered with its
        record, the others with `exists` and the same record; all of them with the same refusal when it fails.
        """
        if waiting := self._launching.get(spec.session):
            waiting.append(done)
            return
        if spec.session not in self._running and (record := self._files.record(spec.session)):
            # Started by a launcher that was killed at that moment.
            self._adopt(record)
        if running := self._running.get(spec.session):
            done(LaunchRefused("exists", "this session runs already", running.record))
        elif len(self._launching) >= self._settings.most_launching:
            done(LaunchRefused("busy", "too many sessions are being started at this moment"))
        else:
            self._launching[spec.session] = [done]
            self._fork_keeper(spec)

    def signal(self, session: str, name: str) -> None:
        """Signal the session's process: INT, TERM, KILL, USR1 or USR2. UnknownSession when it does not run."""
        running = self._running.get(session)
        if running is None or running.process is None:
            raise UnknownSession(session)
        running.process.send(signal.Signals[f"SIG{name}"])

    def close(self) -> None:
        """Stop watching; sessions and keepers go on."""
        for running in self._running.values():
            _cancel(running)
        self._running.clear()
        for link in self._links:
            link.close()
        self._links.clear()
        self._close_forkers()

    def _forkers(self, open_session: OpenSession | None) -> tuple[KeeperForker, Templates | None]:
        """What starts keepers. They hold the settings of now in their memory."""
        settings = self._settings
        context = KeeperContext(settings, self._files, open_session)
        preloading = (
            Templates(self._loop, settings, self._files.run_dir, self._pam_service) if settings.preload else None
        )
        return KeeperForker(self._loop, lambda channel: keep(context, channel)), preloading

    def _close_forkers(self) -> None:
        self._forker.close()
        if self._templates:
            self._templates.close()

    def _fork_keeper(self, spec: LaunchSpec) -> None:
        try:
            content = order(spec)
            pid, channel = (self._templates and self._templates.fork(spec)) or self._forker.fork()
        except (OSError, FrameError) as error:
            self.keeper_refused(spec.session, LaunchRefused("failed", str(error)))
            return
        channel.settimeout(_ORDER_SECONDS)
        with contextlib.suppress(OSError):
            # A keeper that died at once is reported by the link.
            channel.sendall(content)
        self._links.add(KeeperLink(self._loop, spec.session, pid, channel, self._settings.launch_limit, self))

    def keeper_started(self, record: SessionRecord) -> None:
        """From the link to a keeper: the session runs."""
        waiting = self._launching.pop(record.session)
        self._running[record.session] = _Running(record, None, None)
        self._ends.pop(record.session, None)
        first, *others = waiting
        first(record)
        for done in others:
            done(LaunchRefused("exists", "this session runs already", record))
        self._on_started(record)
        self._watch(record)

    def keeper_refused(self, session: str, refusal: LaunchRefused) -> None:
        """From the link to a keeper: there is no session and will be none."""
        for done in self._launching.pop(session):
            done(refusal)

    def keeper_saw_exit(self, end: SessionExit) -> None:
        """From the link to a keeper: the session's process ended."""
        running = self._running.get(end.session)
        if running and running.record.pid == end.pid:
            self._finish(running, end)

    def link_ended(self, link: KeeperLink) -> None:
        """From the link to a keeper: it is gone."""
        self._links.discard(link)

    def _adopt(self, record: SessionRecord) -> None:
        self._running[record.session] = _Running(record, None, None)
        self._watch(record)

    def _watch(self, record: SessionRecord) -> None:
        running = self._running[record.session]
        running.process = self._watch_if_alive(record.pid, record.pid_start, lambda: self._process_ended(running))
        running.keeper = self._watch_if_alive(
            record.keeper_pid, record.keeper_start, lambda: self._keeper_ended(running)
        )
        if running.keeper is None:
            self._keeper_ended(running)
        elif end := self._files.exit(record):
            self._finish(running, end)

    def _watch_if_alive(self, pid: int, ticks: int, ended: Callable[[], None]) -> Watch | None:
        with contextlib.suppress(ProcessLookupError):
            # Its parent, the keeper or the link to it, reaps it.
            watch = self._loop.watch_process(pid, lambda _status: ended(), reap=False)
            if is_alive(pid, ticks):
                return watch
            watch.cancel()
        return None

    def _process_ended(self, running: _Running) -> None:
        running.process = None
        if running.keeper is None:
            self._finish_orphan(running)

    def _keeper_ended(self, running: _Running) -> None:
        running.keeper = None
        if end := self._files.exit(running.record):
            self._finish(running, end)
        elif running.process is None:
            self._finish_orphan(running)

    def _finish_orphan(self, running: _Running) -> None:
        """The keeper was killed, so what it does at the end of its session is done here; nobody saw the exit status."""
        record = running.record
        send_to_session(record.pid, signal.SIGKILL)
        cgroup.clear(record.session, record.keeper_pid, 0.0)
        self._loop.call_later(_SWEEP_SECONDS, cgroup.sweep)
        code, by = self._files.left_code(record.session), self._files.ordered_by(record.session, record.pid)
        self._files.remove(f"{record.session}.sock")
        end = SessionExit(record.session, record.pid, code, None, "", by=by)
        with contextlib.suppress(OSError):
            self._files.write_exit(end, time.time())
        self._finish(running, end)

    def _finish(self, running: _Running, end: SessionExit) -> None:
        _cancel(running)
        if self._running.get(end.session) is running:
            del self._running[end.session]
            self._files.forget(end.session)
            self._remember(end)
            self._on_exited(end)

    def _remember(self, end: SessionExit) -> None:
        self._ends.pop(end.session, None)
        self._ends[end.session] = end
        if len(self._ends) > _MOST_ENDS:
            del self._ends[next(iter(self._ends))]
        self._loop.call_later(_NOTE_SECONDS, lambda: self._forget_end(end))

    def _forget_end(self, end: SessionExit) -> None:
        """Whoever was told of it has written it down by now."""
        if self._ends.get(end.session, end) is end:
            self._files.forget_end(end.session)


def _cancel(running: _Running) -> None:
    for watch in (running.process, running.keeper):
        if watch:
            watch.cancel()
