"""Sessions resumed by other workers' contexts: real handshakes in memory."""

import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from rserver.supervisor.ticket_seed import TicketSeed
from rserver.tls import self_signed
from rserver.tls.contexts import TlsContexts
from rserver_process.event_loop import Loop

VERSIONS = ["TLSv1.2", "TLSv1.3"]


@cache
def material(*names: str) -> dict[str, Any]:
    return {"chain": self_signed.make(list(names)).decode("ascii"), "key": "", "names": names}


def worker(version: str, seed: bytes, *more: dict[str, Any]) -> TlsContexts:
    return TlsContexts([material("here.test"), *more], [version], seed)


@pytest.fixture
def client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def visit(
    client: ssl.SSLContext, server: TlsContexts, session: ssl.SSLSession | None = None, host: str = "here.test"
) -> tuple[bool, ssl.SSLSession | None]:
    """Whether the session was resumed, and the one that the visitor has afterwards."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    browser = client.wrap_bio(to_client, to_server, server_hostname=host, session=session)
    end = server.default.wrap_bio(to_server, to_client, server_side=True)
    for step in (browser.do_handshake, end.do_handshake, browser.do_handshake, end.do_handshake):
        attempt(step)
    end.write(b"hello")
    assert browser.read(5) == b"hello"
    return bool(browser.session_reused), browser.session


def attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except ssl.SSLWantReadError:
        return


@pytest.mark.parametrize("version", VERSIONS)
def test_what_one_worker_began_another_one_resumes(client: ssl.SSLContext, version: str) -> None:
    one, two = worker(version, b"shared"), worker(version, b"shared")
    is_resumed, session = visit(client, one)
    assert not is_resumed
    assert visit(client, two, session)[0]
    assert not visit(client, worker(version, b"of another server"), session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_old_tickets_are_shaken_hands_with_anew(client: ssl.SSLContext, version: str) -> None:
    one, two = worker(version, b"first"), worker(version, b"first")
    _, session = visit(client, one)
    two.renew_tickets(b"second")
    is_resumed, newer = visit(client, two, session)
    assert not is_resumed
    # One of them is told a moment later.
    assert not visit(client, one, newer)[0]
    one.renew_tickets(b"second")
    assert visit(client, one, newer)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_new_certificate_leaves_tickets_as_they_are(client: ssl.SSLContext, version: str) -> None:
    one, two = worker(version, b"shared", material("other.test")), worker(version, b"shared", material("other.test"))
    sessions = {host: visit(client, one, host=host)[1] for host in ("here.test", "other.test")}
    two.replace([material("here.test", "again"), material("other.test", "again")])
    for host, session in sessions.items():
        assert visit(client, two, session, host)[0], host


def test_seed_is_made_anew_and_told() -> None:
    loop, seed = Loop(), TicketSeed()
    told = [seed.value]

    def tell() -> None:
        told.append(seed.value)
        if len(told) == 3:
            loop.stop()

    seed.keep_new(loop, tell, 0.01)
    loop.run()
    loop.close()
    assert len(set(told)) == 3
    assert {len(bytes.fromhex(each)) for each in told} == {32}
