"""Several workers: whichever takes a connection, all is as with one; none of them is missed when it is killed."""

import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from rserver.tls import self_signed
from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.worker_visitor import WorkerVisitor, control_and_data, serving

pytestmark = [pytest.mark.root, pytest.mark.r]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(www_workers="3") as running:
        yield running


@pytest.fixture
def ann(server: RunningServer, alice: Account) -> Iterator[WorkerVisitor]:
    """Signed in, at the prompt, all through a data worker."""
    _, data = control_and_data(server)
    visitor = WorkerVisitor(server.port, pid=data[0])
    assert visitor.sign_in(alice.name, alice.password).status == 302
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    yield visitor
    visitor.close()


def ended(sock: socket.socket) -> bool:
    """The other side closes it within seconds."""
    sock.settimeout(10)
    try:
        while sock.recv(65536):
            continue
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def is_open(sock: socket.socket) -> bool:
    """Nothing says that it ended."""
    sock.setblocking(False)
    try:
        while sock.recv(65536):
            continue
    except BlockingIOError:
        return True
    return False


def test_everything_works_through_each_worker(server: RunningServer, ann: WorkerVisitor) -> None:
    control, data = control_and_data(server)
    assert len(data) == 2
    for number, pid in enumerate((*data, control)):
        visitor = ann.through(pid)
        assert visitor.get("/home").status == 200
        assert str(number + 41) in visitor.run(f"{number} + 41")
        ann.seen = visitor.seen
        assert is_open(visitor.websocket())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    app = f'httpuv::startServer("127.0.0.1", {port}L, list(call = function(req) list(status = 200L, body = "app")))'
    ann.run(f'invisible({app}); cat("up")')
    assert ann.get(f"{ann.session_path}p/{port}/").body == b"app"
    assert ann.get("/s/00000cfc78a3112345678/rpc/x").status in {403, 404}
    assert ann.get("/no-such-page").status == 404


def test_connections_that_come_slowly_and_stay_are_spread(server: RunningServer) -> None:
    pids = server.pids("worker_main.py")
    with ExitStack() as stack:
        sockets = []
        for _ in range(45):
            sockets.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port))))
            # Accepted by one of them before the next one comes.
            wait_until(lambda: any(serving(sockets[-1], pid) for pid in pids))
        counts = [sum(serving(sock, pid) for sock in sockets) for pid in pids]
    assert min(counts) >= 5, counts


def test_sign_out_holds_everywhere_when_it_is_answered(
    server: RunningServer, ann: WorkerVisitor, alice: Account
) -> None:
    control, data = control_and_data(server)
    for out in (data[1], control):
        open_ones = [ann.through(pid).websocket() for pid in (control, *data)]
        before = dict(ann.cookies)
        leaving = ann.through(out)
        assert leaving.post_form("/auth-sign-out").status == 302
        for pid in (control, *data):
            late = ann.through(pid)
            late.cookies = dict(before)
            assert late.post_json(f"{ann.session_path}rpc/list_documents", {"method": "list_documents"}).status == 401
        assert all(ended(sock) for sock in open_ones)
        back = WorkerVisitor(server.port, pid=data[0])
        back.sign_in(alice.name, alice.password)
        ann.cookies = back.cookies


def test_open_streams_count_whoever_carries_them(server: RunningServer, ann: WorkerVisitor) -> None:
    control, data = control_and_data(server)

    def shown() -> int:
        (session,) = ann.get("/api/sessions").json()["sessions"]
        return int(session["connected"])

    open_ones = [ann.through(pid).websocket() for pid in (control, *data)]
    wait_until(lambda: shown() == 3)
    open_ones.pop().close()
    wait_until(lambda: shown() == 2)
    ann.close()
    wait_until(lambda: shown() == 0)


def test_killed_data_worker_takes_only_its_own_connections(server: RunningServer, ann: WorkerVisitor) -> None:
    control, data = control_and_data(server)
    others = [ann.through(pid).websocket() for pid in (control, data[1])]
    own = ann.through(data[0]).websocket()
    os.kill(data[0], signal.SIGKILL)
    assert ended(own)
    wait_until(lambda: len(control_and_data(server)[1]) == 2)
    assert all(map(is_open, others))
    (new,) = set(control_and_data(server)[1]) - set(data)
    assert "42" in ann.through(new).run("41 + 1")


def test_killed_control_is_not_missed_by_sessions(server: RunningServer, ann: WorkerVisitor) -> None:
    control, data = control_and_data(server)
    websocket = ann.websocket()
    ann.rpc("list_documents")
    os.kill(control, signal.SIGSTOP)
    # Whatever it did, it does no more.
    assert ann.run("40 + 2").strip().endswith("42")
    assert is_open(websocket)
    os.kill(control, signal.SIGKILL)
    wait_until(lambda: control not in _workers(server) and len(_workers(server)) == 3)
    assert ann.get("/home").status == 200
    assert ann.through(data[1]).get("/home").status == 200
    assert is_open(websocket)
    assert "43" in ann.run("40 + 3")


@pytest.mark.slow
def test_control_that_hangs_is_told_of_and_replaced(server: RunningServer, ann: WorkerVisitor) -> None:
    control, _ = control_and_data(server)
    websocket = ann.websocket()
    ann.rpc("list_documents")
    begin = len(server.lines)
    os.kill(control, signal.SIGSTOP)
    for path in ("/auth-sign-in", "/home"):
        refused = ann.get(path, headers={"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})
        assert refused.status == 503
        assert b"Try again in a few seconds" in refused.body
    assert ann.run("40 + 4").strip().endswith("44")
    server.wait_for_line(re.compile("the worker has not answered for 24 s, it is replaced"), 90, begin)
    wait_until(lambda: control not in _workers(server) and len(_workers(server)) == 3)
    wait_until(lambda: ann.get("/home").status == 200)
    assert is_open(websocket)
    assert "45" in ann.run("40 + 5")


def _workers(server: RunningServer) -> list[int]:
    return server.pids("worker_main.py")


def test_page_waits_for_control_that_is_being_started(server: RunningServer, ann: WorkerVisitor) -> None:
    control, _ = control_and_data(server)
    connection = ann.connection()
    os.kill(control, signal.SIGKILL)
    connection.request("GET", "/auth-sign-in", headers={"Host": f"127.0.0.1:{server.port}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_suspended_session_comes_back_through_a_data_worker(server: RunningServer, ann: WorkerVisitor) -> None:
    ann.run("kept <- 7")
    session = ann.session_path.strip("/").partition("/")[2]
    assert ann.post_json(f"/api/sessions/{session}/suspend", {}).status == 202
    wait_until(lambda: ann.get("/api/sessions").json()["sessions"][0]["state"] == "suspended")
    ann.init()
    # Its first prompt may have come already, or not.
    ann.rpc("console_input", "kept", "")
    ann.wait_for(lambda event: event["type"] == "console_write_output" and "7" in event["data"]["text"])


def test_new_certificate_is_shown_by_all_and_breaks_off_nobody(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    certificate = tmp_path / "both.pem"
    certificate.write_bytes(self_signed.make(["first.test"]))
    certificate.chmod(0o600)
    serving_tls = running_server(www_workers="2", ssl_enabled="1", ssl_certificate=str(certificate))
    with serving_tls as server, ExitStack() as stack:
        pids = server.pids("worker_main.py")
        before = [stack.enter_context(shown_by(server, pid)) for pid in pids]
        certificate.write_bytes(self_signed.make(["second.test"]))
        os.kill(server.master_pid, signal.SIGHUP)
        for pid, old in zip(pids, before, strict=True):
            wait_until(partial(is_new, server, pid, old))
            old.sendall(b"GET /health-check HTTP/1.1\r\nHost: here\r\n\r\n")
            assert old.recv(100).startswith(b"HTTP/1.1 200 ")


def shown_by(server: RunningServer, pid: int) -> ssl.SSLSocket:
    """A connection to this worker."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(WorkerVisitor(server.port, pid=pid).connection().sock)


def is_new(server: RunningServer, pid: int, old: ssl.SSLSocket) -> bool:
    with shown_by(server, pid) as new:
        return new.getpeercert(True) != old.getpeercert(True)


def test_session_of_tls_is_resumed_by_every_worker(tmp_path: Path) -> None:
    with running_server(www_workers="2", ssl_enabled="1") as server:
        pids = server.pids("worker_main.py")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            sessions = [heard_from(server, pid, context, None)[1] for pid in pids]
            assert all(heard_from(server, pid, context, session)[0] for session in sessions for pid in pids)
        assert "are not resumed" not in server.log


def heard_from(
    server: RunningServer, pid: int, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[bool, ssl.SSLSession | None]:
    """Whether this worker resumed the session, and which one there is after its answer."""
    plain = WorkerVisitor(server.port, pid=pid).connection().sock
    with context.wrap_socket(plain, session=session) as connection:
        connection.sendall(b"GET /health-check HTTP/1.1\r\nHost: here\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        return bool(connection.session_reused), connection.session
