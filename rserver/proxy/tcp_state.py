"""What the kernel knows of a TCP connection and asyncio does not tell."""

import socket
import struct

_ESTABLISHED = 1
# tcpi_bytes_acked of struct tcp_info.
_ACKED, _ACKED_AT, _TCP_INFO_SIZE = struct.Struct("@Q"), 120, 128


def is_established(sock: socket.socket) -> bool:
    """Neither side has ended; True for a socket that cannot tell."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED
    except OSError:
        return True


def acknowledged_bytes(sock: socket.socket) -> int | None:
    """What the other side has taken so far; None for a socket that cannot tell."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        return int(_ACKED.unpack_from(info, _ACKED_AT)[0])
    except (OSError, struct.error, AttributeError):
        return None


def reset_when_closed(sock: socket.socket) -> None:
    """Let the other side see a reset and no orderly end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
