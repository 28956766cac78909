"""`rstudio-server diagnose` through real proxies, each broken in each way."""

import shutil
import time
from collections.abc import Iterator

import pytest

from rserver_core import diagnose_token
from rserver_diagnose.address import parse
from rserver_diagnose.diagnosis import Report, diagnosed
from tests.system.broken_proxies import APACHE, HAPROXY, NGINX, Broken
from tests.system.reverse_proxies import PACKAGES, Proxy, running_proxy, server_options
from tests.system.running_server import RunningServer, running_server

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def served() -> Iterator[RunningServer]:
    """A server with the options of the page."""
    with running_server(None, "", None, None, **server_options()) as server:
        yield server


def report_of(server: RunningServer, proxy: Proxy, seconds: int = 1) -> Report:
    """What is found through the proxy."""
    key = (server.lib_dir / "secure-cookie-key").read_text().split()[0].encode()
    token = diagnose_token.make(key, time.time())
    return diagnosed(parse(proxy.url, f"127.0.0.1:{proxy.port}"), token, str(proxy.authority), seconds)


# Of Apache and HAProxy only what each does in its own way is looked at always.
_ALWAYS = frozenset({"no upgrade", "short time", "host", "buffering", "request buffering", "certificate alone"})


def _case(broken: Broken) -> object:
    missing = shutil.which(broken.proxy) is None
    needed = pytest.mark.skipif(missing, reason=f"needs {broken.proxy} ({PACKAGES[broken.proxy]})")
    slow = [] if broken.proxy == "nginx" or broken.name in _ALWAYS else [pytest.mark.slow]
    return pytest.param(broken, id=f"{broken.proxy} {broken.name}", marks=[needed, *slow])


@pytest.mark.parametrize("broken", [_case(row) for row in (*NGINX, *APACHE, *HAPROXY)])
def test_what_is_wrong_is_named(served: RunningServer, broken: Broken) -> None:
    with running_proxy(broken.proxy, served.port, broken.change) as proxy:
        report = report_of(served, proxy, broken.seconds)
    assert {finding.fault.code for finding in report.findings} == broken.codes, report.text()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("traefik") is None, reason=f"needs traefik ({PACKAGES['traefik']})")
def test_traefik_of_the_page_does_nothing_wrong(served: RunningServer) -> None:
    with running_proxy("traefik", served.port) as proxy:
        report = report_of(served, proxy, 35)
    assert not report.findings, report.text()
