"""The form of NFSv4 lists."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rserver_core.nfs4_list import BadNfs4Acl, Entry, decode, encode

NUMBER = st.integers(0, 2**32 - 1)
ENTRIES = st.lists(st.builds(Entry, NUMBER, NUMBER, NUMBER, st.binary(max_size=40)), max_size=8)

# By RFC 7530, with the numbers of nfs4_setfacl for `A::OWNER@:rwatTnNcCy`, `A::1002:rwatTnNcCy`, `A::GROUP@:rtncy`.
KNOWN = bytes.fromhex(
    "00000003"
    "00000000000000000016019f00000006" + b"OWNER@".hex() + "0000"
    "00000000000000000016019f00000004" + b"1002".hex() + "00000000000000000012008100000006" + b"GROUP@".hex() + "0000"
)


def test_a_known_list() -> None:
    entries = decode(KNOWN)
    assert [entry.who for entry in entries] == [b"OWNER@", b"1002", b"GROUP@"]
    assert [entry.rights for entry in entries] == [0x16019F, 0x16019F, 0x120081]
    assert encode(entries) == KNOWN


@given(ENTRIES)
def test_round_trip(entries: list[Entry]) -> None:
    assert decode(encode(entries)) == entries


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_the_one_error(blob: bytes) -> None:
    try:
        entries = decode(blob)
    except BadNfs4Acl:
        return
    assert encode(entries) == blob


@pytest.mark.parametrize(
    "blob",
    [b"", b"\0\0\0", KNOWN[:-1], KNOWN + b"\0", struct.pack(">I", 2**31), struct.pack(">IIIII", 1, 0, 0, 0, 2**31)],
)
def test_what_is_no_list(blob: bytes) -> None:
    with pytest.raises(BadNfs4Acl):
        decode(blob)
