"""The whole server behind its own nginx: what people do works as without it, and each side may die."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.at_prompt import at_prompt
from tests.system.running_server import RunningServer, descendants, running_server
from tests.system.test_ports import APP
from tests.system.visitor import Visitor

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)"),
]

STREAMS = Path(__file__).with_name("streams.py")


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def fronted(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with running_server(server_http="1", www_workers=request.param) as running:
        yield running


@pytest.fixture
def ann(fronted: RunningServer, alice: Account) -> Visitor:
    """Somebody at the prompt."""
    return at_prompt(fronted, alice)


def own_nginx(server: RunningServer) -> list[int]:
    """Pids of nginx, its master first."""
    front = server.pids("rserver_http")[0]
    return [pid for pid in descendants(front) if "nginx" in Path(f"/proc/{pid}/comm").read_text()]


def uid_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def websocket(visitor: Visitor, path: str) -> socket.socket:
    """Open, or whatever was answered instead is an error."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    stream = socket.create_connection(("127.0.0.1", visitor.port), 20)
    stream.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\nOrigin: http://127.0.0.1:{visitor.port}\r\n"
        f"Cookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return stream


def test_nginx_has_no_rights_and_the_worker_no_port(fronted: RunningServer) -> None:
    uids = {uid_of(pid) for pid in (*own_nginx(fronted), *fronted.pids("worker_main"), *fronted.pids("rserver_http"))}
    assert 0 not in uids
    assert len(uids) == 1
    folder = fronted.run_dir / "http"
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "nginx").stat().st_mode & 0o777 == 0o700
    assert (folder / "worker.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.r
def test_console_long_poll_and_event_stream(ann: Visitor) -> None:
    assert "[1] 42\n" in ann.run("6 * 7")
    with ThreadPoolExecutor(1) as somebody:
        poll = somebody.submit(ann.rpc, "get_events", ann.seen)
        ann.rpc("console_input", "cat('polled')", "")
        assert poll.result(20)
    with websocket(ann, f"{ann.session_path}events?clientId={ann.client_id}&after={ann.seen}") as stream:
        ann.rpc("console_input", "cat('at', 'once')", "")
        text = b""
        while b"at once" not in text:
            text += stream.recv(65536)


@pytest.mark.r
def test_an_app_below_the_session(ann: Visitor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    assert "up" in ann.run(" ".join(APP.replace("PORT", f"{port}L").split()))
    app = f"{ann.session_path}p/{port}"
    answer = ann.get(f"{app}/a%20b?c=d")
    assert answer.body.decode().startswith("GET|/a%20b|?c=d|")
    assert answer.headers.get_all("Set-Cookie") == [f"mine=1; Path={app}/"]
    assert ann.get(f"{app}/away").location == f"{app}/there?x=1"
    body = b"x" * 3_000_000
    assert ann.request("POST", f"{app}/form", body).body.endswith(body)
    with websocket(ann, f"{app}/ws") as stream:
        stream.sendall(b"\x81\x85\0\0\0\0hello")
        assert stream.recv(4096) == b"\x81\x05HELLO"


@pytest.mark.r
def test_sign_out_takes_effect_at_once(fronted: RunningServer, ann: Visitor) -> None:
    copied = Visitor(fronted.port, dict(ann.cookies), session_path=ann.session_path, client_id=ann.client_id)
    with websocket(copied, f"{ann.session_path}events?clientId={ann.client_id}&after={ann.seen}") as stream:
        stream.settimeout(5)
        assert "result" in copied.rpc_answer("list_documents")
        ann.post_form("/auth-sign-out")
        assert copied.rpc_answer("list_documents")["error"]["code"] == 3
        while stream.recv(65536):
            continue


@contextlib.contextmanager
def streaming(who: Account) -> Iterator[tuple[int, IO[str]]]:
    """A program of theirs that takes and gives bodies of any size: its port, and what else it prints."""
    argv = ["/usr/bin/python3", str(STREAMS)]
    program = subprocess.Popen(
        argv, user=who.uid, group=who.gid, extra_groups=[], cwd="/tmp", stdout=subprocess.PIPE, text=True
    )
    assert program.stdout
    try:
        yield int(program.stdout.readline()), program.stdout
    finally:
        program.kill()
        program.wait(20)
        program.stdout.close()


def memory_of(pids: list[int]) -> int:
    """Their own memory, in KiB."""
    found = 0
    for pid in pids:
        match = re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        found += int(match[1]) if match else 0
    return found


def flows_both_ways(server: RunningServer, visitor: Visitor, who: Account, size: int) -> None:
    parts = [*own_nginx(server), *server.pids("worker_main")]
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    piece = b"\0" * (1 << 20)
    with streaming(who) as (port, _):
        before = memory_of(parts)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        path, fields = f"{visitor.session_path}p/{port}/", {"Cookie": cookie}
        body = (piece for _ in range(size >> 20))
        connection.request("POST", path, body, {**fields, "Content-Length": str(size)})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, str(size).encode())
        connection.request("GET", f"{path}{size}", headers=fields)
        got, answer = 0, connection.getresponse()
        while data := answer.read(1 << 20):
            got += len(data)
        connection.close()
        assert got == size
        assert memory_of(parts) - before < 20_000
    assert not list((server.run_dir / "http" / "nginx" / "body").glob("*"))


@pytest.mark.r
def test_bodies_flow_in_flat_memory(fronted: RunningServer, ann: Visitor, alice: Account) -> None:
    flows_both_ways(fronted, ann, alice, 200 << 20)


@pytest.mark.r
@pytest.mark.slow
def test_ten_gigabytes_up_and_down(fronted: RunningServer, ann: Visitor, alice: Account) -> None:
    flows_both_ways(fronted, ann, alice, 10 << 30)


def test_what_outsiders_say_of_themselves_is_not_believed(fronted: RunningServer, alice: Account) -> None:
    visitor = Visitor(fronted.port)
    forged = {"X-Forwarded-For": "203.0.113.9", "X-RS-Peer": "203.0.113.9 1 https", "X-Forwarded-Proto": "https"}
    answer = visitor.get("/auth-sign-in", forged)
    assert all("Secure" not in cookie for cookie in answer.headers.get_all("Set-Cookie") or [])
    visitor.sign_in(alice.name, "wrong", "/")
    assert f'"user": "{alice.name}", "address": "127.0.0.1"' in fronted.log
    assert "203.0.113.9" not in fronted.log


def test_nobody_else_speaks_on_the_workers_socket(fronted: RunningServer, alice: Account) -> None:
    code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])"
    argv = ["/usr/bin/python3", "-c", code, str(fronted.run_dir / "http" / "worker.sock")]
    done = subprocess.run(argv, user=alice.uid, group=alice.gid, extra_groups=[], cwd="/", capture_output=True)
    assert b"PermissionError" in done.stderr


def test_files_are_sent_by_nginx_packed_and_for_ever(fronted: RunningServer) -> None:
    visitor = Visitor(fronted.port)
    page = visitor.get("/ide/index.html").body.decode()
    script = re.search(r"/(ide/assets/index-[^\"]+\.js)", page) or re.search(r"(assets/index-[^\"]+\.js)", page)
    assert script
    path = "/ide/" + script[1].removeprefix("ide/")
    answer = visitor.get(path, {"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Server"] == "nginx"
    assert visitor.get(path, {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}).status == 304
    part = visitor.get(path, {"Range": "bytes=0-9"})
    assert (part.status, len(part.body)) == (206, 10)
    assert visitor.request("HEAD", path).body == b""
    assert visitor.get(path + ".gz").status == 404
    assert visitor.get("/ide/../rserver.conf").status in {400, 404}
    parts = visitor.get(path, {"Range": "bytes=0-1,4-5"})
    assert (parts.status, parts.headers["Content-Type"]) == (200, "application/javascript; charset=utf-8")


def test_health_of_both_sides(fronted: RunningServer) -> None:
    visitor = Visitor(fronted.port)
    assert visitor.get("/health-check").body == b"ok"
    assert visitor.get("/health-check/http").body == b"ok\n"
    workers, front = fronted.pids("worker_main"), own_nginx(fronted)
    assert health(fronted) == (True, True)
    for pids, seen in ((workers, (False, True)), (front, (True, False))):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert health(fronted) == seen
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def test_diagnosis_finds_no_fault(fronted: RunningServer) -> None:
    command = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "rstudio-server"
    places = [f"--server-data-dir={fronted.run_dir}", f"--server-lib-dir={fronted.lib_dir}"]
    argv = [str(command), "diagnose", f"--url=http://127.0.0.1:{fronted.port}/", "--seconds=2", *places]
    done = subprocess.run(argv, capture_output=True, text=True, env=fronted.env)
    assert "all is well" in done.stdout, done
    assert done.returncode == 0


def health(server: RunningServer) -> tuple[bool, bool]:
    """Whether worker and nginx answer, as rstudio-server status says."""
    command = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "rstudio-server"
    argv = [str(command), "status", "--json", f"--server-data-dir={server.run_dir}"]
    state = json.loads(subprocess.run(argv, capture_output=True, check=True, env=server.env).stdout)
    return state["worker"], state["nginx"]


@pytest.mark.r
def test_the_worker_is_killed_while_nginx_stands(alice: Account) -> None:
    with running_server(server_http="1") as server:
        ann = at_prompt(server, alice)
        nginx = own_nginx(server)
        cookie = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
        with streaming(alice) as (port, said), socket.create_connection(("127.0.0.1", server.port), 20) as waiting:
            waiting.sendall(
                f"POST {ann.session_path}p/{port}/wait HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n"
                f"Content-Length: 0\r\nCookie: {cookie}\r\n\r\n".encode()
            )
            assert said.readline() == "waits\n"
            os.kill(server.pids("worker_main")[0], signal.SIGKILL)
            answer = waiting.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 5\r\n" in answer
        assert b"The server is being restarted" in answer
        assert "[1] 2\n" in ann.run("1 + 1")
        assert own_nginx(server) == nginx
        assert ann.get("/health-check/http").body == b"ok\n"


@pytest.mark.r
@pytest.mark.parametrize("victims", ["master of nginx", "workers of nginx", "rserver-http", "all of them"])
def test_nginx_is_killed(alice: Account, victims: str) -> None:
    with running_server(server_http="1") as server:
        ann = at_prompt(server, alice)
        master, *workers = own_nginx(server)
        front = server.pids("rserver_http")[0]
        chosen = {
            "master of nginx": [master],
            "workers of nginx": workers,
            "rserver-http": [front],
            "all of them": [front, master],
        }[victims]
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
        assert "[1] 2\n" in repeatedly(ann)
        if victims != "workers of nginx":
            wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (master, *workers)))
        assert ann.get("/health-check").body == b"ok"
        assert server.stop() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in (master, *workers, front))


def repeatedly(visitor: Visitor) -> str:
    """What a line at the prompt gives, as soon as one arrives."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return visitor.run("1 + 1")
    raise AssertionError("the server did not come back")


@pytest.mark.r
def test_the_master_is_killed(alice: Account) -> None:
    with running_server(server_http="1") as server:
        ann = at_prompt(server, alice)
        former = own_nginx(server)
        master = server.master_pid
        os.kill(master, signal.SIGKILL)
        wait_until(lambda: server.master_pid != master)
        assert "[1] 2\n" in repeatedly(ann)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in former))


def test_reload_takes_a_new_configuration_and_keeps_the_last_good_one() -> None:
    with running_server(server_http="1") as server:
        conf = server.directory / "conf"
        stays = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        stays.request("GET", "/health-check/http")
        assert stays.getresponse().read() == b"ok\n"
        (conf / "nginx.server.conf").write_text('location = /mine { return 200 "mine\\n"; }\n')
        (conf / "rserver.conf").write_text("server-add-header=X-Mine: yes\n")
        os.kill(server.master_pid, signal.SIGHUP)
        visitor = Visitor(server.port)
        wait_until(lambda: visitor.get("/mine").body == b"mine\n")
        assert visitor.get("/ide/index.html").headers["X-Mine"] == "yes"
        (conf / "nginx.server.conf").write_text("nonsense here;\n")
        os.kill(server.master_pid, signal.SIGHUP)
        wait_until(lambda: "nginx goes on with the configuration it has" in server.log)
        assert f'unknown directive "nonsense" in {conf}/nginx.server.conf:1' in server.log
        assert visitor.get("/mine").body == b"mine\n"
        stays.close()


@pytest.mark.parametrize(
    ("options", "files", "says"),
    [
        (
            {"server_http_nginx": "/nowhere/nginx"},
            {},
            "server-http-nginx: /nowhere/nginx cannot be run: there is no such program",
        ),
        ({"server_http_nginx": "/bin/true"}, {}, "/bin/true is no nginx"),
        ({}, {"nginx.http.conf": "nonsense;\n"}, 'unknown directive "nonsense" in '),
    ],
)
def test_what_nginx_cannot_do_is_said_and_nothing_runs(
    options: dict[str, str], files: dict[str, str], says: str, open_folder: Path
) -> None:
    for name, text in files.items():
        (open_folder / name).write_text(text)
    done = refused(open_folder, [f"--{name.replace('_', '-')}={value}" for name, value in options.items()])
    assert done.returncode == 2
    assert re.search(f"^rserver: .*{re.escape(says)}", done.stderr, re.MULTILINE), done.stderr
    assert not subprocess.run(["pgrep", "-f", str(open_folder)], capture_output=True, check=False).stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that the server's account can reach: pytest closes its own."""
    with tempfile.TemporaryDirectory(prefix="rserver-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def refused(folder: Path, argv: list[str]) -> "subprocess.CompletedProcess[str]":
    """A server with nginx in front that does not start; folder: its configuration directory too."""
    rserver = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "rserver"
    places = [f"--server-data-dir={folder}/run", f"--server-lib-dir={folder}/lib", "--www-port=0"]
    return subprocess.run(
        [str(rserver), "--server-http=1", "--server-daemonize=0", *places, *argv],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={**os.environ, "RSTUDIO_CONFIG_DIR": str(folder)},
    )


def test_tls_and_http2_and_redirect(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        redirect_port: int = free.getsockname()[1]
    options = {"ssl_enabled": "1", "ssl_redirect_http_port": str(redirect_port)}
    with running_server(None, "", None, None, server_http="1", **options) as server:
        keys = list((server.run_dir / "http" / "nginx" / "certificates").iterdir())
        assert [key.stat().st_mode & 0o777 for key in keys] == [0o600]
        context = ssl.create_default_context(cafile=str(server.lib_dir / "self-signed.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", server.port), 20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as stream,
        ):
            assert (stream.version(), stream.selected_alpn_protocol()) == ("TLSv1.3", "h2")
        connection = http.client.HTTPSConnection(
            "localhost", server.port, context=ssl.create_default_context(cafile=str(server.lib_dir / "self-signed.pem"))
        )
        connection.request("GET", "/auth-sign-in")
        answer = connection.getresponse()
        assert all("Secure" in cookie for cookie in answer.headers.get_all("Set-Cookie") or [""])
        assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=15552000"]
        connection.close()
        for port in (redirect_port, server.port):
            moved = Visitor(port).get("/s/x?y=1", {"Host": f"localhost:{port}"})
            assert (moved.status, moved.location) == (301, f"https://localhost:{server.port}/s/x?y=1")
        assert "Traceback" not in server.log


@pytest.mark.r
def test_without_root(alice: Account) -> None:
    with running_server(account=alice, server_http="1") as server:
        code = "import urllib.request as u, sys; a = u.urlopen(sys.argv[1]); print(a.status, a.url)"
        for who, seen in ((alice.uid, "/s/"), (65534, "HTTP Error 403")):
            argv = ["setpriv", f"--reuid={who}", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", code]
            done = subprocess.run([*argv, f"http://127.0.0.1:{server.port}/"], capture_output=True, text=True)
            assert seen in done.stdout + done.stderr, done


def test_one_address_cannot_take_all_connections() -> None:
    with running_server(server_http="1", www_max_connections_per_address="3") as server:
        visitor = Visitor(server.port)
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                waiting = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
                waiting.sendall(
                    b"POST /auth-do-sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
                )
                assert b" 100 " in waiting.recv(4096)
            assert visitor.get("/health-check").status == 503
            answer = visitor.get("/home", {"Accept": "text/html"})
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert b"too many connections from your address" in answer.body
        wait_until(lambda: visitor.get("/health-check").status == 200)


@pytest.mark.r
def test_below_a_path_of_its_own(alice: Account) -> None:
    with running_server(server_http="1", www_root_path="/r.d/x") as server:
        visitor = Visitor(server.port)
        assert visitor.get("/r.d/x/").location.startswith("/r.d/x/auth-sign-in?")
        assert visitor.get("/r.d/x/static/pages.css").status == 200
        visitor.get("/r.d/x/auth-sign-in")
        visitor.post_form("/r.d/x/auth-do-sign-in", username=alice.name, password=alice.password, appUri="/r.d/x/")
        visitor.session_path = visitor.get("/r.d/x/").location
        assert visitor.session_path.startswith("/r.d/x/s/")
        page = visitor.get(visitor.session_path, {"Accept": "text/html", "Accept-Encoding": "gzip"})
        assert page.status == 200
        visitor.init()
        visitor.seen = 0
        visitor.wait_for_prompt()
        assert "[1] 2\n" in visitor.run("1 + 1")
        with websocket(visitor, f"{visitor.session_path}events?clientId={visitor.client_id}&after=0") as stream:
            assert stream.recv(65536)
