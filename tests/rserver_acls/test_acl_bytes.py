"""Lists as bytes: the kernel says which are lists, and whatever it may hand over is read or refused, never more."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rserver_acls.acl import ACCESS, BadAcl, decode, encode, of_mode
from tests.rserver_acls.test_rights import acls

LISTS = acls().map(encode)
SOME_FOLDER = HealthCheck.function_scoped_fixture


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A list with some bytes changed, taken out, or put in."""
    blob = bytearray(draw(LISTS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(blob)))
        end = start + draw(st.sampled_from([0, 1, 1, 2, 8]))
        blob[start:end] = draw(st.binary(max_size=2) | LISTS.map(lambda other: other[4:12]))
    return bytes(blob)


@settings(suppress_health_check=[SOME_FOLDER], deadline=None)
@given(blob=LISTS)
def test_the_kernel_takes_and_gives_what_we_encode(fd: int, blob: bytes) -> None:
    os.setxattr(fd, ACCESS, blob)
    if os.listxattr(fd):
        assert os.getxattr(fd, ACCESS) == blob
    else:
        assert encode(of_mode(os.fstat(fd).st_mode)) == blob


@settings(suppress_health_check=[SOME_FOLDER], deadline=None, max_examples=200)
@given(blob=damaged() | st.binary(max_size=60))
def test_what_the_kernel_takes_is_read(fd: int, blob: bytes) -> None:
    """And of the rest nothing but BadAcl is raised."""
    try:
        os.setxattr(fd, ACCESS, blob)
    except OSError:
        with suppress(BadAcl):
            assert decode(encode(decode(blob))) == decode(blob)
        return
    if os.listxattr(fd):
        kept = os.getxattr(fd, ACCESS)
        # The kernel takes people in any order; ours is that of setfacl.
        assert decode(encode(decode(kept))) == decode(kept)
