"""The verbs start, stop, restart, reload and status."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rserver_admin import installation, offline
from rserver_admin.configuration import must_be_good
from rserver_admin.health import look as health_of
from rserver_admin.listening import addresses
from rserver_admin.server import Server
from rserver_admin.server_process import ServerProcess
from rserver_admin.systemd import Systemd
from rserver_admin.verb import EXIT_STOPPED, Context, Refused, Result

STOP_SECONDS = 30.0
START_SECONDS = 60.0
_TAIL = 1 << 16
_ANSWER = {True: "answers", False: "does not answer; the log tells more"}
_TOKEN_ADDRESS = re.compile(r"^Open (http\S+)$", re.MULTILINE)


def start(context: Context, systemd: Systemd | None = None) -> Result:
    """Start it where it does not run."""
    invocation, server = context.invocation, context.server
    must_be_good(invocation.options, context.environ)
    if (process := server.process()) is not None:
        return Result(f"rserver runs already (pid {process.pid}).", _state(server, process))
    systemd = systemd or Systemd()
    if systemd.has_unit(invocation.options, context.environ):
        _ask(systemd, "start")
    else:
        _start_program(server, invocation.options, context.environ)
    return _now_running(server, "rserver was started")


def stop(context: Context, systemd: Systemd | None = None) -> Result:
    """Stop it; its sessions go on."""
    server = context.server
    systemd = systemd or Systemd()
    process = server.process()
    if process is None:
        return Result(f"rserver does not run.{_left(server)}", _state(server, None))
    if systemd.has_unit(context.invocation.options, context.environ) and systemd.is_active():
        _ask(systemd, "stop")
    _stop_process(process)
    return Result(f"rserver was stopped.{_left(server)}", _state(server, None))


def restart(context: Context, systemd: Systemd | None = None) -> Result:
    """Stop and start it, with the options that it runs with; where it does not run, start it."""
    server, systemd = context.server, systemd or Systemd()
    process = server.process()
    options = _merged(process, context.invocation.options)
    must_be_good(options, context.environ)
    if systemd.has_unit(context.invocation.options, context.environ) and (process is None or systemd.is_active()):
        _ask(systemd, "restart")
    else:
        if process is not None:
            _stop_process(process)
        _start_program(server, options, context.environ)
    return _now_running(server, "rserver was restarted")


def reload(context: Context) -> Result:
    """Have it read its configuration anew."""
    process = context.server.process()
    if process is None:
        raise Refused("rserver does not run: there is nothing to reload.")
    must_be_good(_merged(process, context.invocation.options), context.environ)
    if not process.send(signal.SIGHUP):
        raise Refused("rserver has just ended: there is nothing to reload.")
    return Result("rserver reads its configuration again. Addresses, ports and directories need a restart.")


def status(context: Context) -> Result:
    """Whether it runs, and how."""
    server = context.server
    process = server.process()
    state = _state(server, process)
    if process is None:
        return Result(f"rserver is stopped.{_left(server)}", state, EXIT_STOPPED)
    lines = [
        "rserver is running.",
        f"pid       {process.pid}",
        f"since     {time.strftime('%Y-%m-%d %H:%M:%S %z', time.localtime(process.since))}",
        *(f"address   {url}" for url in state["addresses"]),
        f"sessions  {state['sessions']}",
        f"worker    {_ANSWER[state['worker']]}",
    ]
    if state["nginx"] is not None:
        lines.append(f"nginx     {_ANSWER[state['nginx']]}")
    if not server.run_dir.exists():
        lines.append(f"missing   {server.run_dir} was removed; the server makes it again within a minute")
    if state["offline"]:
        lines.append("offline   yes: every page says so until `rstudio-server online`")
    return Result("\n".join(lines), state)


def _state(server: Server, process: ServerProcess | None) -> dict[str, Any]:
    root = server.settings.www_root_path
    found = addresses(process.pid) if process else []
    health = health_of(found, server.run_dir) if process else None
    return {
        "running": process is not None,
        "pid": process.pid if process else None,
        "since": process.since if process else None,
        "addresses": [f"http{'s' * (address in health.tls)}://{address}{root}" for address in found] if health else [],
        "worker": health.worker if health else None,
        "nginx": health.nginx if health else None,
        "sessions": len(server.sessions()),
        "offline": offline.is_set(server),
    }


def _left(server: Server) -> str:
    number = len(server.sessions())
    return f" {number} session{'s keep' if number != 1 else ' keeps'} running." if number else ""


def _merged(process: ServerProcess | None, options: Sequence[str]) -> list[str]:
    """The options of the running server with those given now in their place."""
    named = {text.partition("=")[0]: text for text in (*(process.arguments if process else ()), *options)}
    named.pop("--server-daemonize", None)
    return list(named.values())


def _ask(systemd: Systemd, verb: str) -> None:
    if code := systemd.do(verb):
        raise Refused(f"systemctl {verb} failed; `journalctl -u rserver` tells more.", code)


def _stop_process(process: ServerProcess) -> None:
    if not process.stop(STOP_SECONDS):
        raise Refused(
            f"rserver (pid {process.pid}) still runs {STOP_SECONDS:.0f} s after it was asked to stop. "
            f"`kill -9 {process.leader} {process.pid}` ends it; sessions survive that."
        )


def _start_program(server: Server, options: Sequence[str], environ: Mapping[str, str]) -> None:
    given = [text for text in options if not text.startswith("--server-daemonize=")]
    argv = [*installation.python(installation.RSERVER), "--server-daemonize=1", *given]
    try:
        code = subprocess.run(
            argv,
            env=installation.environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=START_SECONDS,
        ).returncode
    except subprocess.TimeoutExpired:
        if (process := server.process()) is not None:
            process.stop(STOP_SECONDS)
        raise Refused(
            f"rserver was not ready within {START_SECONDS:.0f} s and was stopped; its log tells more."
        ) from None
    if code:
        raise Refused("rserver did not start.", code if code > 0 else 1)


def _now_running(server: Server, what: str) -> Result:
    process = server.process()
    if process is None:
        raise Refused(f"{what}, but runs no more; its log tells why.")
    state = _state(server, process)
    lines = [f"{what} (pid {process.pid}): {' '.join(state['addresses'])}"]
    if server.settings.auth_none and (url := _token_address(server)):
        lines.append(f"Open {url}")
    if state["sessions"]:
        lines.append(f"sessions that run: {state['sessions']}")
    return Result("\n".join(lines), state)


def _token_address(server: Server) -> str | None:
    """What the server of one user printed into its log: the address that lets a browser in."""
    log = server.lib_dir / "rserver.log"
    found = _TOKEN_ADDRESS.findall(_tail(log))
    return found[-1] if found else None


def _tail(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
