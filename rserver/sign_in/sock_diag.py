"""One question to the kernel's socket diagnosis (NETLINK_SOCK_DIAG): whose is this TCP connection?

Costs some 20 µs however many connections there are; reading /proc/net/tcp walks the kernel's whole table.
"""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address

_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_NLM_F_DUMP = 0x300
_ESTABLISHED, _LISTEN = 1, 10
# struct nlmsghdr; struct inet_diag_req_v2 with its inet_diag_sockid; head of struct inet_diag_msg, and up to its uid.
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_ID = struct.Struct("!HH16s16s")
_ID_TAIL = struct.Struct("=III")
_ANSWER = struct.Struct("=BBBB48sIIII")
_ANY_COOKIE = 0xFFFFFFFF
_SECONDS = 0.1

Address = IPv4Address | IPv6Address


def uid_of_connection(source: tuple[Address, int], target: tuple[Address, int]) -> int | None:
    """The uid that owns the end at source of an established connection to target; None when there is none. OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_SECONDS)
        netlink.sendto(_question(source, target), (0, 0))
        return _uid(netlink.recv(8192))


def listeners(port: int) -> list[tuple[Address, int]]:
    """Address and owner's uid of every TCP socket that listens on that port. OSError."""
    found: list[tuple[Address, int]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_SECONDS)
        for family in (socket.AF_INET, socket.AF_INET6):
            netlink.sendto(_listing(family, port), (0, 0))
            while (part := _listed(netlink.recv(1 << 16), port)) is not None:
                found += part
    return found


def _listing(family: int, port: int) -> bytes:
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _LISTEN) + _ID.pack(port, 0, b"\0" * 16, b"\0" * 16)
    body += _ID_TAIL.pack(0, _ANY_COOKIE, _ANY_COOKIE)
    flags = _NLM_F_REQUEST | _NLM_F_DUMP
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, flags, 1, 0) + body


def _listed(data: bytes, port: int) -> list[tuple[Address, int]] | None:
    """What one read of the listing says; None at its end."""
    found: list[tuple[Address, int]] = []
    while len(data) >= _HEADER.size:
        size, kind = _HEADER.unpack_from(data)[:2]
        if kind != _SOCK_DIAG_BY_FAMILY:
            return None
        family, state, _timer, _retrans, ends, _expires, _rqueue, _wqueue, uid = _ANSWER.unpack_from(data, _HEADER.size)
        own_port, _, source, _ = _ID.unpack_from(ends)
        # A kernel that does not filter lists every port.
        if state == _LISTEN and own_port == port:
            found.append((IPv4Address(source[:4]) if family == socket.AF_INET else IPv6Address(source), int(uid)))
        data = data[(size + 3) & ~3 :]
    return found


def _question(source: tuple[Address, int], target: tuple[Address, int]) -> bytes:
    family = socket.AF_INET if source[0].version == 4 else socket.AF_INET6
    ends = _ID.pack(source[1], target[1], source[0].packed.ljust(16, b"\0"), target[0].packed.ljust(16, b"\0"))
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _ESTABLISHED) + ends
    body += _ID_TAIL.pack(0, _ANY_COOKIE, _ANY_COOKIE)
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body


def _uid(answer: bytes) -> int | None:
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _SOCK_DIAG_BY_FAMILY or len(answer) < _HEADER.size + _ANSWER.size + 4:
        return None
    _family, state, _timer, _retrans, _id, _expires, _rqueue, _wqueue, uid = _ANSWER.unpack_from(answer, _HEADER.size)
    return int(uid) if state == _ESTABLISHED else None
