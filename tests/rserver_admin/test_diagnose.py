"""The verb diagnose as an administrator types it."""

import shutil
import socket

import pytest

from tests.rserver_admin.command import answer_of, ask, rstudio_server
from tests.system.running_server import RunningServer, running_server

pytestmark = pytest.mark.root


def test_straight_to_the_server_all_is_well(server: RunningServer) -> None:
    done = ask(server, "diagnose", "--url", f"http://127.0.0.1:{server.port}/", "--seconds=1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"http://127.0.0.1:{server.port}/: all is well (no proxy in between).\n"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx (Debian: nginx-light)")
@pytest.mark.parametrize("more", [{}, {"www_root_path": "/r"}, {"www_workers": "2"}], ids=str)
def test_our_own_nginx_does_nothing_wrong(more: dict[str, str]) -> None:
    with running_server(None, "", None, None, server_http="1", **more) as server:
        url = f"http://127.0.0.1:{server.port}{more.get('www_root_path', '')}/"
        done = ask(server, "diagnose", "--url", url, "--seconds=1")
        assert "all is well (no proxy in between)" in done.stdout, done.stdout


def test_for_programs(server: RunningServer) -> None:
    done = ask(server, "diagnose", f"--url=http://localhost:{server.port}/r/", "--seconds=1", "--json")
    assert done.returncode == 1
    answer = answer_of(done)
    assert (answer["ok"], answer["direct"]) == (False, True)
    (finding,) = answer["findings"]
    assert finding["code"] == "path-not-told"
    assert set(finding["mend"]) == {"everywhere", "nginx", "apache", "haproxy", "traefik"}


def test_cookies_that_only_https_would_carry() -> None:
    with running_server(auth_cookies_force_secure="1") as secure:
        done = ask(secure, "diagnose", f"--url=http://127.0.0.1:{secure.port}/", "--seconds=1")
        assert done.returncode == 1
        assert "(cookie-needs-https)" in done.stdout


def test_nobody_answers(server: RunningServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = ask(server, "diagnose", f"--url=http://127.0.0.1:{port}/", "--seconds=1")
    assert done.returncode == 1
    assert "(unreachable)" in done.stdout
    assert "nobody listens at port" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Usage: rstudio-server diagnose --url="),
        (("--url=r.example.org",), "is no address"),
        (("--url=http://127.0.0.1/", "--seconds=0"), "--seconds is a whole number from 1 to 120."),
        (("--url=http://a:b@127.0.0.1/r/",), "must not name a user or password"),
        (("--url=http://127.0.0.1/", "--connect=x"), "is not HOST:PORT"),
        (("--url=https://127.0.0.1/", "--ca-file=/nowhere"), "/nowhere cannot be used as --ca-file: No such file"),
        (("--url=https://127.0.0.1/", "--ca-file=/etc/passwd"), "it holds no certificate."),
    ],
)
def test_calls_that_are_wrong(server: RunningServer, arguments: tuple[str, ...], said: str) -> None:
    done = ask(server, "diagnose", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_server_that_does_not_run() -> None:
    done = rstudio_server(
        "diagnose", "--url=http://127.0.0.1/", "--server-data-dir=/tmp/none", "--server-lib-dir=/tmp/none"
    )
    assert done.returncode == 3
    assert "does not run" in done.stderr
