"""The master: binds, reads keys, starts worker and launcher, carries the few requests between them.

It parses nothing that comes from the network and imports the standard library only.
"""

import contextlib
import hashlib
import hmac
import os
import signal
import socket
from pathlib import Path

from rserver.supervisor import cookie_keys, installation, listeners, tls_files
from rserver.supervisor.acl_changes import AclChanges
from rserver.supervisor.background import Report
from rserver.supervisor.exit_codes import ExitCode, StartRefused
from rserver.supervisor.heartbeat import EVERY_SECONDS
from rserver.supervisor.http_front import HttpFront
from rserver.supervisor.launcher_host import LauncherHost
from rserver.supervisor.more_workers import MoreWorkers
from rserver.supervisor.password_checks import PasswordChecks
from rserver.supervisor.places import Places
from rserver.supervisor.run_directory import RunDirectory
from rserver.supervisor.service import Account, Declaration, Hooks, Service, log
from rserver.supervisor.ticket_seed import TicketSeed
from rserver_core import r_versions_file
from rserver_core.config_errors import ConfigErrors
from rserver_core.cookie_key_file import cookie_key_file
from rserver_core.frame import Message
from rserver_core.options.command_line import load
from rserver_core.options.rserver import RSERVER, RserverSettings, redirect_port
from rserver_core.profiles import file as profiles_file
from rserver_process.event_loop import Loop
from rserver_process.keeper_host import KeeperHost
from rserver_process.keeper_settings import KeeperSettings
from rserver_process.requests import Done, Requests

# After a crash the last worker may hold the port until it has noticed.
PORT_PATIENCE_SECONDS = 5.0
# How long nobody may notice that the run directory is gone.
LOOK_SECONDS = 30.0
RPC_SOCKET = "rpc.sock"

# Events that concern every worker; sessions are the business of the first.
_FOR_ALL = frozenset({"options", "stop", "ticket_seed"})
# glibc would give large buffers back to the kernel after every response.
_WORKER_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "8388608",
    "MALLOC_TRIM_THRESHOLD_": "134217728",
    "MALLOC_ARENA_MAX": "2",
}


def serve(settings: RserverSettings, argv: list[str], attempt: int, report: Report) -> int:
    """Be the master until told to stop; the exit code. attempt: how many masters were killed before this one."""
    try:
        return Master(settings, argv, PORT_PATIENCE_SECONDS if attempt else 0.0, report).run()
    except StartRefused as refusal:
        report(str(refusal))
        return refusal.code


class Master:
    """One server: its sockets, keys and children."""

    def __init__(self, settings: RserverSettings, argv: list[str], patience: float, report: Report) -> None:
        """StartRefused when it cannot start; nothing runs then."""
        self._settings, self._argv, self._report = settings, argv, report
        self._places = Places.resolve(settings)
        self._run_directory = RunDirectory(self._places, _pid_file(settings, self._places))
        self._publish_first_profiles(is_restart=patience > 0)
        self._keys = cookie_keys.read_or_make(cookie_key_file(settings, os.environ))
        self._tls = tls_files.read(settings, self._places.lib_dir, self._places.worker)
        self._tickets = TicketSeed()
        self._listeners = listeners.bind(settings.www_address, settings.www_port, patience)
        port = redirect_port(settings)
        self._redirects = listeners.bind(settings.www_address, port, patience) if port else []
        remote = (settings.remote_address, settings.remote_port, patience, "remote-address")
        self._remote = listeners.bind(*remote) if settings.remote_enabled else []
        self._http = HttpFront(self._places) if settings.server_http else None
        more = settings.www_workers - 1
        self._more = MoreWorkers(self._places, more) if more else None
        self._asking = self._socket_of_sessions()
        self._loop = Loop()
        self._checks = PasswordChecks(self._loop, settings.auth_pam_service)
        self._changes = self._acl_changes()
        self._launcher: Service | None = None
        self._host = self._make_host()
        self._worker = Service(self._loop, self._worker_declaration(), self._worker_hooks())
        self._requests = self._new_requests()
        self._http_service: Service | None = None
        self._announced = self._stopping = False
        self._code = ExitCode.CLEAN

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.on_signal(number, self._stop)
        self._loop.on_signal(signal.SIGHUP, self._reload)
        if self._launcher:
            self._launcher.start()
        self._worker.start()
        if self._more:
            self._more.begin(self._loop, self._worker_declaration(is_first=False), self._worker_greeting)
        if self._http:
            sockets = (self._listeners, self._redirects)
            self._http_service = self._http.begin(self._loop, sockets, self._told_to_http, self._http_answered)
        elif self._tls:
            self._tickets.keep_new(self._loop, self._tell_tickets)
        self._loop.call_later(LOOK_SECONDS, self._keep_looking)
        self._loop.run()
        self._run_directory.close()
        return self._code

    def _tell_tickets(self) -> None:
        self._event({"event": "ticket_seed", "seed": self._tickets.value})

    def _told_to_http(self) -> tuple[RserverSettings, list[tls_files.Material]]:
        return self._settings, self._tls

    def _http_answered(self, reason: str) -> None:
        if not reason:
            self._announce()
        elif not self._announced:
            self._code = ExitCode.CONFIGURATION
            self._report(reason)
            self._stop()

    def _make_host(self) -> LauncherHost | KeeperHost:
        if self._settings.auth_pam_sessions_enabled and not self._places.single_user:
            return self._make_launcher()
        options = RSERVER.to_json(self._settings)
        host = KeeperHost(
            self._loop, str(self._places.run_dir), KeeperSettings.from_options(options, os.environ), self._event
        )
        host.adopt()
        return host

    def _make_launcher(self) -> LauncherHost:
        host = LauncherHost(self._send_to_launcher, self._event)
        declaration = Declaration("launcher", installation.python(installation.LAUNCHER), installation.environment())
        hooks = Hooks(
            greeting=lambda: {"options": RSERVER.to_json(self._settings)},
            message=host.received,
            ready=lambda: self._launcher_ready(host),
            lost=host.lost,
        )
        self._launcher = Service(self._loop, declaration, hooks)
        return host

    def _socket_of_sessions(self) -> socket.socket | None:
        """Where sessions ask the worker to have access changed; the worker looks who they are."""
        if self._places.shared_storage is None:
            return None
        return listeners.bind_private(self._places.run_dir / RPC_SOCKET, self._places.worker, 0o666)

    def _acl_changes(self) -> AclChanges:
        settings = self._settings
        minimum_uid = 1 if self._places.single_user else settings.auth_minimum_user_id
        state = str(self._places.lib_dir / "acls")
        return AclChanges(self._loop, state, minimum_uid, settings.server_project_sharing_root_dir)

    def _send_to_launcher(self, message: Message) -> None:
        if self._launcher:
            self._launcher.send(message)

    def _launcher_ready(self, host: LauncherHost) -> None:
        host.ready()
        self._event({"event": "launcher_restarted"})

    def _worker_declaration(self, *, is_first: bool = True) -> Declaration:
        sockets = (self._http.worker_socket,) if self._http else (*self._listeners, *self._redirects)
        argv = [*installation.python(installation.WORKER), f"--listen-fds={len(sockets)}"]
        if self._redirects and not self._http:
            argv.append(f"--redirect-fds={len(self._redirects)}")
        if self._remote and is_first:
            sockets = (*sockets, *self._remote)
            argv.append(f"--remote-fds={len(self._remote)}")
        if self._more and is_first:
            sockets = (*sockets, self._more.socket)
            argv.append("--workers-fd")
        if self._asking and is_first:
            sockets = (*sockets, self._asking)
            argv.append("--rpc-fd")
        owner = self._places.worker
        account = None if self._places.single_user else Account(owner.uid, owner.gid)
        env = installation.environment(**_WORKER_ENVIRONMENT)
        return Declaration("worker", argv, env, account, sockets, ping_seconds=EVERY_SECONDS)

    def _worker_hooks(self) -> Hooks:
        return Hooks(
            greeting=self._worker_greeting,
            message=lambda message: self._requests.received(message),
            ready=self._announce,
            lost=self._worker_lost,
        )

    def _worker_greeting(self) -> Message:
        owner = self._places.worker
        user = {"user": self._places.user, "uid": owner.uid} if self._places.single_user else None
        place = self._more.place(0) if self._more else {}
        return {**self._worker_settings(), **place, "single_user": user, "ticket_seed": self._tickets.value}

    def _worker_settings(self) -> Message:
        options = RSERVER.to_json(self._settings)
        if self._places.single_user:
            options["auth-token"] = self._token()
        # Where nginx speaks TLS the worker has no use for keys.
        http = {"ports": [listener.getsockname()[1] for listener in self._listeners]} if self._http else None
        tls = [] if http and not self._remote else self._tls
        return {"options": options, "cookie_keys": self._keys, "tls": tls, "http": http}

    def _new_requests(self) -> Requests:
        changes = self._changes.operations(self._worker.send)
        operations = {"check_password": self._checks.check, **changes, **self._host.operations, "launch": self._launch}
        return Requests(operations, self._worker.send)

    def _launch(self, message: Message, done: Done) -> None:
        self._look_after_run_directory()
        self._host.operations["launch"](message, done)

    def _keep_looking(self) -> None:
        self._look_after_run_directory()
        self._loop.call_later(LOOK_SECONDS, self._keep_looking)

    def _look_after_run_directory(self) -> None:
        if self._stopping or self._run_directory.is_whole() or not self._run_directory.make_again():
            return
        self._host.restore()
        parts = [part for part in (self._http, self._more) if part]
        for part in parts:
            part.make()
        if parts:
            # Only new processes get to know the new sockets.
            self._worker.renew(self._worker_declaration())
            for service in self._services():
                if service not in (self._worker, self._launcher):
                    service.renew()

    def _worker_lost(self) -> None:
        # Answers to what the last worker asked must not reach the next one, whose ids begin anew.
        self._requests.close()
        self._changes.forget()
        self._requests = self._new_requests()

    def _event(self, message: Message) -> None:
        self._worker.send(message)
        if self._more and message.get("event") in _FOR_ALL:
            self._more.send(message)

    def _announce(self) -> None:
        if self._announced or not self._worker.ready or (self._http and not self._http.serving):
            return
        self._announced = True
        scheme = "https" if self._tls else "http"
        for listener in self._remote:
            log(f"listening for programs on {scheme}://{_shown(listener)}/")
        for listener in self._listeners:
            shown = _shown(listener)
            log(f"listening on {scheme}://{shown}{self._settings.www_root_path}")
            if self._places.single_user:
                root = self._settings.www_root_path.rstrip("/")
                with contextlib.suppress(OSError):
                    print(f"Open {scheme}://{shown}{root}/auth-token?token={self._token()}", flush=True)
        self._report("")

    def _token(self) -> str:
        """What lets a browser in that does not run on this machine; the same after a restart."""
        return hmac.new(bytes.fromhex(self._keys[0]), b"single-user sign-in", hashlib.sha256).hexdigest()[:32]

    def _reload(self) -> None:
        try:
            settings = load(RSERVER, self._argv, os.environ, files=(r_versions_file.check,))
            keys = cookie_keys.read_or_make(cookie_key_file(settings, os.environ))
            tls = tls_files.read(settings, self._places.lib_dir, self._places.worker) if self._tls else []
            self._publish_profiles()
        except (ConfigErrors, StartRefused) as error:
            log(f"the configuration was not reloaded: {error}")
            return
        self._settings, self._keys, self._tls = settings, keys, tls
        self._event({"event": "options", **self._worker_settings()})
        self._reload_host(RSERVER.to_json(settings))
        if self._http:
            self._http.reload(settings, tls)
        log("configuration reloaded; addresses, ports, directories, ssl-enabled and server-http need a restart")

    def _reload_host(self, options: Message) -> None:
        if isinstance(self._host, LauncherHost):
            self._host.reload(options)
        else:
            self._host.reload(KeeperSettings.from_options(options, os.environ))

    def _publish_first_profiles(self, *, is_restart: bool) -> None:
        try:
            self._publish_profiles()
        except StartRefused as refusal:
            # They were good when the server was started, and what counted then still does.
            if not is_restart:
                raise
            log(f"the profiles were not read again: {refusal}")

    def _publish_profiles(self) -> None:
        """Read them, and tell the worker and every session that starts; StartRefused, and nothing changes."""
        try:
            profiles = profiles_file.load(os.environ)
            self._run_directory.publish(profiles)
        except (ConfigErrors, OSError) as error:
            raise StartRefused(ExitCode.CONFIGURATION, str(error)) from None

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        log("stopping; R sessions keep running")
        self._event({"event": "stop"})
        for service in self._services():
            service.stop()
        self._stop_when_alone()

    def _stop_when_alone(self) -> None:
        if any(service.running for service in self._services()):
            self._loop.call_later(0.02, self._stop_when_alone)
        else:
            self._loop.stop()

    def _services(self) -> list[Service]:
        found = [self._worker, self._launcher, self._http_service, *(self._more.services if self._more else ())]
        return [service for service in found if service]


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _pid_file(settings: RserverSettings, places: Places) -> Path:
    return Path(settings.server_pid_file) if settings.server_pid_file else places.run_dir / "rserver.pid"
