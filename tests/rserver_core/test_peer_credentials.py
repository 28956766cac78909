"""Whose the peer of a Unix socket is."""

import os
import socket
import struct

import pytest

from rserver_core import peer_credentials


def test_the_kernels_own_answer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer = ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, peer_credentials.SIZE)
    assert peer_credentials.uid_of(answer) == os.geteuid()


@pytest.mark.parametrize("uid", [0, 1000, 1 << 31, 4_000_000_001, (1 << 32) - 2])
def test_uids_have_no_sign(uid: int) -> None:
    assert peer_credentials.uid_of(struct.pack("=iII", 1, uid, 1000)) == uid
