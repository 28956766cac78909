"""Connections of the nginx that our master runs in front: on a Unix socket that nobody else can open.

What it says of the browser's connection is believed; everybody else's word on it never arrives. Pure but for the look
at the peer.
"""

import os
import re
import socket
from collections.abc import Mapping

from rserver_core import peer_credentials

FIELD = "x-rs-peer"
_PEER = re.compile(r"([0-9A-Fa-f.:]{2,45}) ([0-9]{1,5}) (https?)", re.ASCII)

Peer = tuple[str, int]

# In place of an address, which never has a blank.
OWN_NGINX: Peer = ("own nginx", 0)


def is_own_nginx(sock: socket.socket) -> bool:
    """True when a process of our own account, as nginx is, or root is at the other end of this Unix socket."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE)
    return peer_credentials.uid_of(credentials) in {os.getuid(), 0}


def peer_of_nginx(headers: Mapping[str, str]) -> tuple[str, int, bool]:
    """Address and port of who connected to nginx, and whether that is by TLS."""
    match = _PEER.fullmatch(headers.get(FIELD, ""))
    if match is None:
        return "", 0, False
    return match[1].removeprefix("::ffff:"), int(match[2]), match[3] == "https"
