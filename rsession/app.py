"""The server half of a session: the reactor on the second thread and what hangs on it."""

import contextlib
import gc
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rsession.lean_imports import leave_out_unused_modules

leave_out_unused_modules()

from twisted.internet.epollreactor import EPollReactor  # noqa: E402
from twisted.internet.main import installReactor  # noqa: E402
from twisted.logger import (  # noqa: E402
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from rserver_core import last_word  # noqa: E402
from rsession import _shim, r_version  # noqa: E402
from rsession.claimed_state import ClaimedState, claim_state  # noqa: E402
from rsession.core_methods import SessionFacts, add_core_methods  # noqa: E402
from rsession.http_server import HttpServer, listen_again  # noqa: E402
from rsession.project_r import remember  # noqa: E402
from rsession.projects import register as projects  # noqa: E402
from rsession.rpc import Clients, Rpc  # noqa: E402
from rsession.segment_reader import ReadableDescriptor  # noqa: E402
from rsession.session import Session  # noqa: E402
from rsession.session_lock import REFRESH_SECONDS, SessionLock  # noqa: E402
from rsession.site import SessionSite  # noqa: E402
from rsession.state_paths import StatePaths  # noqa: E402

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings
    from rsession.projects.folder import Project
    from rsession.r_version import SessionR
    from rsession.services.documents import Documents

_LAST_WORDS_SECONDS = 0.2
_ANSWER_SECONDS = 0.02
_ROOT = 0


def serve(
    settings: "RsessionSettings",
    own: "SessionR",
    project: "Project | None",
    descriptors: tuple[int, int, int, int],
    started: float,
) -> None:
    """Serve until the process ends; `descriptors` are those of `_shim.open`."""
    events, child_output, child_error, log = descriptors
    _begin_log(log)
    reactor = EPollReactor()
    # Twisted counts by the wall clock, which may jump by hours: timers would fire at once, or not for hours.
    reactor.seconds = time.monotonic
    installReactor(reactor)
    paths = StatePaths.of_home(Path.home(), settings.session_id)
    session = Session(reactor, paths, dict(os.environ))
    session.project = project
    session.listeners.ping_seconds = settings.websocket_ping_seconds
    session.say = lambda sentence: _say(log, sentence)
    _connect_r(session, reactor, events, (child_output, child_error))
    clients = Clients()
    facts = SessionFacts(settings.session_id, own.version, own.label, started)
    add_core_methods(session, facts, clients)
    _hold_state(session, claim_state(str(Path.home()), settings.session_id))
    r_version.register(session, own)
    remember(settings, own.key)
    documents = _register_services(session, own)
    projects.register(session, settings)
    _tell_of_presence(session, settings)
    _edit_together(session, settings, documents, reactor)
    _share(session, settings, documents)
    _keep_objects(session, settings)
    _watch_limits(session, settings)
    if settings.remote:
        _serve_programs(session)
    site = SessionSite(Rpc(session.rpc, clients, session.use), session.routes, session.listeners, clients)
    _listen(reactor, site, settings)
    gc.enable()
    gc.freeze()
    reactor.run(installSignalHandlers=False)


def _begin_log(descriptor: int) -> None:
    stream = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    # Users read this on the failure page: only what explains a failure belongs there.
    from_warnings_on = FilteringLogObserver(textFileLogObserver(stream), [LogLevelFilterPredicate(LogLevel.warn)])
    globalLogBeginner.beginLoggingTo([from_warnings_on], discardBuffer=True, redirectStandardIO=False)


def _say(log: int, sentence: str) -> None:
    with contextlib.suppress(OSError):
        os.write(log, last_word.encode(sentence))


def _connect_r(session: Session, reactor: EPollReactor, events: int, pipes: tuple[int, int]) -> None:
    reactor.addReader(ReadableDescriptor(events, reactor, session.reader.ring))
    pipe_readers = [ReadableDescriptor(pipe, reactor, lambda: take()) for pipe in pipes]

    def take() -> None:
        has_room = _shim.take_child_output()
        for reader in pipe_readers:
            if has_room:
                reactor.addReader(reader)
            else:
                reactor.removeReader(reader)
        if not has_room:
            reactor.callLater(0.05, take)

    take()
    session.on_quit = lambda: _end(session, reactor)


def _end(session: Session, reactor: EPollReactor) -> None:
    """The last events and answers leave through the sockets, then the process may go."""
    seconds = _LAST_WORDS_SECONDS if session.listeners.has_any else _ANSWER_SECONDS
    reactor.callLater(seconds, _shim.acknowledge_quit)


def _hold_state(session: Session, claimed: ClaimedState) -> None:
    for text in claimed.sentences:
        session.events.emit("show_message", {"kind": "warning", "text": text})
    if claimed.lock is not None:
        session.on_end(claimed.lock.release)
        _refresh(session, claimed.lock)


def _refresh(session: Session, lock: SessionLock) -> None:
    lock.refresh()
    session.clock.callLater(REFRESH_SECONDS, _refresh, session, lock)


def _register_services(session: Session, own: "SessionR") -> "Documents":
    from rsession.services import register, session_properties

    documents = register(session)
    session_properties.register(session, own.home, own.version, own.label)
    return documents


def _edit_together(
    session: Session, settings: "RsessionSettings", documents: "Documents", reactor: EPollReactor
) -> None:
    if session.presence is not None:
        from rsession.collab.register import register

        register(session, documents, session.presence, settings.session_id, reactor)


def _tell_of_presence(session: Session, settings: "RsessionSettings") -> None:
    from rsession.presence.register import register

    register(session, settings.session_id)


def _share(session: Session, settings: "RsessionSettings", documents: "Documents") -> None:
    from rsession.sharing.register import register

    register(session, settings, documents)


def _keep_objects(session: Session, settings: "RsessionSettings") -> None:
    from rsession.checkpoint_time import tell_end, tell_keeper
    from rsession.timeouts.policy import limits_of
    from rsession.workspace.register import register
    from rsession.workspace.settings import WorkspaceSettings

    session.tell_saved = lambda saved: tell_keeper(settings.listen_fd, saved)
    register(session, WorkspaceSettings.of(settings), limits_of(settings))
    session.on_end(
        lambda: None if session.ending.was_quit else tell_end(settings.listen_fd, session.ending.exit_status)
    )


def _watch_limits(session: Session, settings: "RsessionSettings") -> None:
    from rsession.limits.register import register

    register(session, settings.memory_event_fd)


def _serve_programs(session: Session) -> None:
    from rsession.remote.register import register

    register(session)


def _listen(reactor: EPollReactor, site: SessionSite, settings: "RsessionSettings") -> None:
    from rsession.keepers_port import KeepersPort

    listen_again(settings.listen_fd)
    # Root may do anything to us anyway, and the administrator's command asks here what stands against a suspension.
    own = frozenset({os.getuid(), _ROOT})
    allowed = own if settings.server_uid < 0 else own | {settings.server_uid}
    site_factory = HttpServer(site, reactor, allowed)
    KeepersPort._fromListeningDescriptor(reactor, settings.listen_fd, site_factory).startListening()  # type: ignore[no-untyped-call]
