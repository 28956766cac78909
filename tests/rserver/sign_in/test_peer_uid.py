import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from rserver.sign_in.peer_uid import uid_in_tables, uid_of_peer

FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
NOBODY = 65534


@contextmanager
def connection(address: str) -> Iterator[tuple[tuple[str, int], int, socket.socket]]:
    """The client's address and port as the server sees them, the server's port, the client."""
    with socket.create_server((address, 0), family=FAMILIES[address]) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection((address, port))
        server, peer = listener.accept()
        with client, server:
            yield peer[:2], port, client


@pytest.mark.parametrize("address", FAMILIES)
def test_it_is_ours(address: str) -> None:
    with connection(address) as (peer, port, _):
        assert uid_of_peer(peer, [1, port]) == os.getuid()
        assert uid_in_tables(ip_address(peer[0]), peer[1]) == os.getuid()


@pytest.mark.root
def test_it_is_somebody_elses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(held)
            os.setuid(NOBODY)
            client = socket.create_connection(listener.getsockname())
            os.read(done, 1)
            client.close()
            os._exit(0)
        server, peer = listener.accept()
        with server:
            assert uid_of_peer(peer, [listener.getsockname()[1]]) == NOBODY
            assert uid_in_tables(ip_address(peer[0]), peer[1]) == NOBODY
        os.close(held)
        os.close(done)
        os.waitpid(pid, 0)


def test_a_connection_that_is_being_closed_is_nobodys() -> None:
    with connection("127.0.0.1") as (peer, port, client):
        client.close()
        assert uid_of_peer(peer, [port]) is None
        assert uid_in_tables(ip_address(peer[0]), peer[1]) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "", "localhost", "::ffff:192.0.2.1", "x" * 500])
def test_only_this_machine_counts(address: str) -> None:
    assert uid_of_peer((address, 80), [80]) is None


def test_a_port_that_is_not_ours_does_not_count() -> None:
    with connection("127.0.0.1") as (peer, port, _):
        assert uid_of_peer(peer, [port ^ 1]) is None
