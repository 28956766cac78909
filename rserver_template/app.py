"""The template's process: what it is told, what it loads and as whom, and how it forks."""

import contextlib
import gc
import os
import socket
import stat
import sys
from typing import NoReturn

from rserver_core import frame
from rserver_process import cgroup, kernel_files, signals
from rserver_process.descriptors import close_all_but, null_on
from rserver_process.keeper import KeeperContext, keep
from rserver_process.keeper_forker import fork_by_order
from rserver_process.pam_session import PamSession, preload
from rserver_process.run_records import RunRecords
from rserver_process.session_start import SessionBegun
from rserver_process.template_order import CHANNEL, TemplateOrder
from rserver_template import command_line
from rserver_template.body import Body
from rserver_template.nobody import become_nobody, become_root

FORK_POINT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "fork_point.R")
_MISUSE = 2


def run() -> int:
    """Serve orders until nobody gives any; 2 when descriptor 3 is no channel."""
    if not _is_socket(CHANNEL):
        print("rserver-template: descriptor 3 is no channel; only rserver starts this program", file=sys.stderr)
        return _MISUSE
    _leave_parent()
    channel = socket.socket(fileno=CHANNEL)
    Template(channel, TemplateOrder.from_json(_read_message(channel))).run()


class Template:
    """Loads what sessions and keepers need, forks keepers where R stops, and sends R on in a session's process."""

    def __init__(self, channel: socket.socket, order: TemplateOrder) -> None:
        self._channel, self._order = channel, order
        self._body = Body(order.installation)

    def run(self) -> NoReturn:
        """Never back: what R is after its start is a session."""
        from rsession import _shim

        self._body.load_modules()
        self._pam_modules = preload(self._order.pam_service) if self._order.pam_service else None
        os.environ["R_PROFILE"] = FORK_POINT
        library = os.fsencode(self._order.installation.library)
        become_nobody()
        _shim.run_template(
            library, self._body.arguments, self._body.sources, self._serve, self._body.begin, self._body.give_up
        )

    def _serve(self) -> tuple[list[bytes], int, int]:
        """Fork keepers; comes back in a session's process: R's command line, the session's socket, R's profile."""
        become_root()
        signals.spare_helpers()
        self._body.hold(descriptor_of(FORK_POINT))
        context = self._context()
        cgroup.discover()
        gc.collect()
        gc.freeze()
        self._channel.sendall(frame.encode({"ready": {"pss_kib": _pss_kib()}}))
        try:
            fork_by_order(self._channel, lambda fd: _keep(context, fd))
        except SessionBegun:
            return self._body.go_on()
        os._exit(0)

    def _context(self) -> KeeperContext:
        service = self._order.pam_service
        open_session = (lambda account: PamSession(service, account)) if service else None
        return KeeperContext(self._order.settings, RunRecords(self._order.run_dir), open_session, self._body)


def _keep(context: KeeperContext, channel: int) -> NoReturn:
    # A keeper outlives the server: it must not hold its log.
    null_on(1, 2)
    keep(context, channel)


def _leave_parent() -> None:
    signals.all_at_default()
    signals.spare_helpers()
    close_all_but(range(CHANNEL + 1))
    os.set_inheritable(CHANNEL, False)
    null_on(0)
    os.chdir("/")
    os.umask(0o022)
    command_line.find()
    command_line.show(sys.orig_argv[:-1])
    with contextlib.suppress(OSError):
        kernel_files.write("/proc/self/comm", "rserver-preload")


def _read_message(channel: socket.socket) -> frame.Message:
    reader = frame.FrameReader()
    while data := channel.recv(1 << 16):
        for message in reader.feed(data):
            return message
    raise SystemExit(0)


def descriptor_of(path: str) -> int:
    """Where R reads that file at this moment."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == path:
                return int(name)
    raise LookupError(path)


def _pss_kib() -> int:
    for line in kernel_files.read("/proc/self/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
