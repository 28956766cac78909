"""Whose a connection over loopback is."""

import sys
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from rserver.sign_in.sock_diag import Address, uid_of_connection

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_MAX_BYTES = 8 << 20
_ESTABLISHED = "01"


def uid_of_peer(peer: tuple[str, int], server_ports: Iterable[int]) -> int | None:
    """The uid that owns the client's end (loopback address, port) of a connection to one of our ports; None: not known.

    Only a connection that stands counts: one that is being closed has lost its owner and would show uid 0.
    """
    address = _loopback(peer[0])
    if address is None:
        return None
    try:
        return _by_netlink(address, peer[1], server_ports)
    except OSError:
        return uid_in_tables(address, peer[1])


def uid_in_tables(address: Address, port: int, tables: tuple[str, ...] = _TABLES) -> int | None:
    """The same from the kernel's tables of TCP sockets, for kernels without socket diagnosis."""
    wanted = {f"{written}:{port:04X}" for written in _written(address)}
    for table in tables:
        for fields in _rows(table):
            if fields[1] in wanted and fields[3] == _ESTABLISHED and fields[7].isdecimal():
                return int(fields[7])
    return None


def _by_netlink(address: Address, port: int, server_ports: Iterable[int]) -> int | None:
    # Somebody may ask at 127.0.0.1 from another address of 127.0.0.0/8, or at that one itself.
    hosts = {address, IPv4Address("127.0.0.1")} if isinstance(address, IPv4Address) else {address}
    for server_port in server_ports:
        for host in hosts:
            uid = uid_of_connection((address, port), (host, server_port))
            if uid is not None:
                return uid
    return None


def _loopback(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address if address.is_loopback else None


def _rows(table: str) -> Iterator[list[str]]:
    try:
        with Path(table).open(encoding="ascii", errors="replace") as file:
            text = file.read(_MAX_BYTES)
    except OSError:
        return
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 8:
            yield fields


def _written(address: Address) -> Iterator[str]:
    yield _words(address.packed)
    if isinstance(address, IPv4Address):
        yield _words(b"\0" * 10 + b"\xff\xff" + address.packed)


def _words(packed: bytes) -> str:
    """As the kernel prints an address: words of 32 bits, on a little-endian machine with their bytes reversed."""
    words = [packed[start : start + 4] for start in range(0, len(packed), 4)]
    return b"".join(word[::-1] if sys.byteorder == "little" else word for word in words).hex().upper()
