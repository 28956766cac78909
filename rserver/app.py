"""The worker as a process: reactor, channel to the master, listeners, signals, start and end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import uvloop
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.main import installReactor
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from rserver import memory, worker_log
from rserver.clock import limit
from rserver.composition import STATIC, Worker, build
from rserver.folder_watch import watch_file
from rserver.master_client import MasterClient
from rserver.offline_file import FILE_NAME, LOOK_SECONDS, SELDOM_SECONDS, OfflineFile
from rserver.proxy.data_plane import DataPlane
from rserver.proxy.origin_policy import OriginPolicy
from rserver.proxy.settings import FrontSettings
from rserver.proxy.trusted_proxies import TrustedProxies
from rserver.remote.composition import build_door
from rserver.sessions.activity import SocketActivity
from rserver.sessions.probe import SocketProbe
from rserver.sessions.project_report import SocketProjectReport
from rserver.sessions.quit_call import SocketQuit
from rserver.sessions.r_report import SocketRReport
from rserver.sessions.saved_times import SavedTimes
from rserver.sessions.suspend_call import SocketSuspend
from rserver.settings import WorkerSettings
from rserver.sharing.leave_call import SocketLeave
from rserver.surroundings import IDE, Surroundings, Threads
from rserver.tls.contexts import TlsContexts
from rserver.web.offline_page import OfflinePage
from rserver.web.request import Gate, Pages, SessionEvents
from rserver.web.static_files import StaticFiles
from rserver.web.templates import Templates
from rserver.worker_threads import WorkerThreads
from rserver.workers.balance import Balance
from rserver.workers.data_composition import build_data_worker
from rserver.workers.data_worker import DataWorker
from rserver_core.frame import Message

CHANNEL_FD = 3
FIRST_LISTENER_FD = 4
GREETING_SECONDS = 20.0
STOP_GRACE_SECONDS = 2.0

_log = Logger()


@dataclass(frozen=True, slots=True)
class Sockets:
    """What a worker listens on: for browsers, for those of them who are sent to HTTPS, for programs.

    workers: where data workers connect, if there are any; sessions: where sessions ask, if they may.
    """

    browsers: Sequence[socket.socket]
    redirects: Sequence[socket.socket] = ()
    programs: Sequence[socket.socket] = ()
    workers: socket.socket | None = None
    sessions: socket.socket | None = None


class Application:
    """One worker process."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sockets: Sockets) -> None:
        self._loop, self._sockets = loop, sockets
        self._reactor = reactor = AsyncioSelectorReactor(loop)
        # Twisted counts by the wall clock, which may jump by hours: timers would fire at once, or not for hours.
        reactor.seconds = time.monotonic
        installReactor(reactor)
        self._master = MasterClient(reactor, self._on_event, self._master_lost)
        self._tls: TlsContexts | None = None
        self._http_ports: tuple[int, ...] | None = None
        self._worker: Worker | DataWorker | None = None
        self._front: DataPlane | None = None
        self._balance: Balance | None = None
        self._early: list[Message] = []
        self._stopping = False

    def run(self) -> NoReturn:
        """Serve until told to stop; ends the process, with code 0 when that was asked for."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._reactor.callWhenRunning(self._begin)
        self._reactor.run(installSignalHandlers=False)
        # Threads may hang in a name service: nothing is waited for.
        _end(0)

    def _begin(self) -> None:
        factory = Factory.forProtocol(lambda: self._master)
        self._reactor.adoptStreamConnection(CHANNEL_FD, socket.AF_UNIX, factory)
        os.close(CHANNEL_FD)
        Deferred.fromCoroutine(self._start()).addErrback(_failed)

    async def _start(self) -> None:
        late = TimeoutError("the master did not greet")
        greeting = await limit(self._master.greeted, GREETING_SECONDS, self._reactor, late)
        if http := greeting.get("http"):
            self._http_ports = tuple(http["ports"])
        if materials := greeting.get("tls"):
            seed = bytes.fromhex(greeting["ticket_seed"])
            self._tls = TlsContexts(materials, greeting["options"]["ssl-protocols"], seed)
        if place := greeting.get("workers"):
            self._balance = Balance(place["counts"], place["mine"], place["count"])
        if "control" in greeting:
            await self._start_data(greeting)
        else:
            await self._start_control(greeting)
        memory.freeze()
        _log.info("ready on {ports}", ports=self._ports())

    async def _start_data(self, greeting: Message) -> None:
        building = asyncio.ensure_future(build_data_worker(self._loop, greeting, self._ports()))
        worker = await Deferred.fromFuture(building)
        self._begin_to_tell(worker)
        worker.plane = await self._listen(worker, worker, worker, worker)

    async def _start_control(self, greeting: Message) -> None:
        around = self._surroundings()
        worker = await build(around, greeting)
        self._begin_to_tell(worker)
        await worker.control.restore()
        if self._sockets.workers is not None:
            letting_in = worker.let_others_in(self._sockets.workers, self._loop)
            await Deferred.fromFuture(asyncio.ensure_future(letting_in))
        if self._sockets.sessions is not None:
            await worker.share_projects(self._sockets.sessions, self._loop)
        worker.link.front = await self._listen(worker, worker.gate, worker.pages, worker.gate)
        if self._sockets.programs:
            await self._listen_for_programs(worker, around, worker.link.front)
        worker.keep_saving()
        worker.keep_watching()
        SavedTimes(worker.clock, worker.control.table, worker.save).keep_looking()
        Deferred.fromCoroutine(worker.look_over_profiles()).addErrback(_not_looked_over)
        Deferred.fromCoroutine(worker.pages.notifications.keep_looking()).addErrback(_not_watched)

    def _begin_to_tell(self, worker: Worker | DataWorker) -> None:
        self._worker = worker
        for event in self._early:
            self._tell(worker, event)

    def _surroundings(self) -> Surroundings:
        probe = SocketProbe(lambda: self._loop)
        return Surroundings(
            self._reactor,
            Threads.start(self._reactor),
            lambda: self._loop,
            self._master,
            probe,
            SocketSuspend(lambda: self._loop),
            SocketActivity(lambda: self._loop),
            SocketQuit(lambda: self._loop),
            SocketRReport(lambda: self._loop),
            SocketProjectReport(lambda: self._loop),
            SocketLeave(lambda: self._loop),
            self._ports(),
            life=_life_of_master(),
        )

    async def _listen(self, worker: Worker | DataWorker, gate: Gate, pages: Pages, events: SessionEvents) -> DataPlane:
        # Where nginx is in front, it speaks TLS.
        options, tls = worker.settings, self._tls if self._http_ports is None else None
        settings = front_settings(options, tls=tls is not None)
        static = StaticFiles({"ide": IDE, "static": STATIC})
        closed = OfflinePage(await self._offline_file(options.server_lib_dir), Templates()).answer
        knows_token = worker.credentials.knows_token
        front = self._front = DataPlane(self._loop, settings, gate, pages, events, static, closed, knows_token)
        if self._balance is not None:
            front.is_ahead = self._balance.is_ahead
        for listener in self._sockets.browsers:
            listening = front.listen(listener, tls.default if tls else None)
            await Deferred.fromFuture(asyncio.ensure_future(listening))
        for listener in self._sockets.redirects:
            listening = front.listen_for_redirects(listener, self._ports()[0])
            await Deferred.fromFuture(asyncio.ensure_future(listening))
        return front

    async def _listen_for_programs(self, worker: Worker, around: Surroundings, front: DataPlane) -> None:
        begin, tls = await build_door(worker, around, tls=self._tls is not None), self._tls
        for listener in self._sockets.programs:
            listening = front.listen_as(listener, begin, tls.default if tls else None)
            await Deferred.fromFuture(asyncio.ensure_future(listening))

    async def _offline_file(self, lib_dir: str) -> OfflineFile:
        """Read, and watched from now on."""
        threads, path = WorkerThreads(self._reactor, "offline"), Path(lib_dir, FILE_NAME)
        file = OfflineFile(self._reactor, threads, path, self._break_off)
        seconds = SELDOM_SECONDS if watch_file(self._reactor, path, file.look_now) else LOOK_SECONDS
        await file.look()
        Deferred.fromCoroutine(file.keep_looking(seconds)).addErrback(_failed)
        return file

    def _break_off(self) -> None:
        if self._front is not None:
            self._front.close_all()

    def _ports(self) -> tuple[int, ...]:
        """That browsers connect to, here or at nginx in front."""
        if self._http_ports is not None:
            return self._http_ports
        return tuple(listener.getsockname()[1] for listener in self._sockets.browsers)

    def _on_event(self, event: Message) -> None:
        if event.get("event") == "stop":
            self._stop()
        elif self._worker is None:
            self._early.append(event)
        else:
            self._tell(self._worker, event)

    def _tell(self, worker: Worker | DataWorker, event: Message) -> None:
        try:
            if event.get("event") == "ticket_seed":
                self._renew_tickets(event)
                return
            if self._tls is not None and event.get("event") == "options":
                self._tls.replace(event["tls"])
            worker.on_event(event)
        except Exception:
            # The channel, and with it the worker, must outlive a mistake in one event.
            _log.failure("event {name} failed", name=event.get("event"))

    def _renew_tickets(self, event: Message) -> None:
        if self._tls is not None:
            self._tls.renew_tickets(bytes.fromhex(event["seed"]))

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            Deferred.fromCoroutine(self._finish()).addErrback(_failed)

    async def _finish(self) -> None:
        if self._front is not None:
            await Deferred.fromFuture(asyncio.ensure_future(self._front.stop(STOP_GRACE_SECONDS)))
        if self._worker is not None:
            await self._worker.finish()
        _log.info("stopped")
        self._reactor.stop()

    def _master_lost(self) -> None:
        _end(0 if self._stopping else 1)


def main(
    listen_fds: int, redirect_fds: int, remote_fds: int = 0, *, has_workers_fd: bool = False, has_rpc_fd: bool = False
) -> NoReturn:
    """Serve on this many listeners, from fd 4 on; the last redirect_fds of them only lead to the first.

    remote_fds: so many listeners for programs follow. has_workers_fd: the descriptor after all of them is the socket
    that data workers connect to; has_rpc_fd: the one after that is for sessions.
    """
    memory.tune_allocator()
    worker_log.begin()
    first_remote = FIRST_LISTENER_FD + listen_fds
    first_redirect, end = first_remote - redirect_fds, first_remote + remote_fds
    sockets = Sockets(
        _sockets(FIRST_LISTENER_FD, first_redirect),
        _sockets(first_redirect, first_remote),
        _sockets(first_remote, end),
        socket.socket(fileno=end) if has_workers_fd else None,
        socket.socket(fileno=end + has_workers_fd) if has_rpc_fd else None,
    )
    Application(uvloop.new_event_loop(), sockets).run()


def _sockets(first: int, end: int) -> list[socket.socket]:
    return [socket.socket(fileno=number) for number in range(first, end)]


def front_settings(options: WorkerSettings, *, tls: bool) -> FrontSettings:
    """What the options mean for the front; tls: browsers speak it to us."""
    return FrontSettings(
        root_path=options.root_path.rstrip("/"),
        frame_origin=options.www_frame_origin,
        add_headers=options.server_add_header + options.tls_headers,
        trusted_proxies=TrustedProxies(options.www_trusted_proxies),
        origins=OriginPolicy(options.www_allow_origin, checks_requests=options.www_enable_origin_check),
        tls=tls,
        secure_cookies=options.auth_cookies_force_secure,
        head_seconds=options.www_header_timeout_seconds,
        body_stall_seconds=options.www_body_timeout_seconds,
        send_seconds=options.www_send_timeout_seconds,
        least_rate=options.www_min_data_rate,
        max_connections=options.www_max_connections,
        max_per_address=options.www_max_connections_per_address,
        max_per_user=options.www_max_connections_per_user,
    )


def _life_of_master() -> str:
    """Names our master for as long as it lives: its pid and when it started. Empty where /proc is hidden."""
    master = os.getppid()
    try:
        with open(f"/proc/{master}/stat", "rb") as file:
            return f"{master}.{file.read().rpartition(b')')[2].split()[19].decode()}"
    except OSError:
        return ""


def _failed(failure: object) -> NoReturn:
    _log.critical("cannot serve: {why!r}", why=getattr(failure, "value", failure))
    _end(1)


def _not_watched(failure: object) -> None:
    _log.error("notifications.conf is watched no longer: {why!r}", why=getattr(failure, "value", failure))


def _not_looked_over(failure: object) -> None:
    _log.warn("profiles are not looked over: {why!r}", why=getattr(failure, "value", failure))


def _end(code: int) -> NoReturn:
    # Whoever read our log may be gone.
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
