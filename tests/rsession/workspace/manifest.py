"""What a store's manifest names, read as rsession/shim/catalog.h lays it out."""

import struct
from pathlib import Path

_HEADING = struct.Struct("<8sII10Q32s")
_CHUNK = struct.Struct("<QQQIIII")
_ENTRY = struct.Struct("<QdQQIIIIIIBB6x")
_PACK_BYTES = 16
FACT = 1

LARGE = 65536

Chunk = tuple[int, int, int]
"""Both halves of the hash, size."""


def large_chunks(store: Path) -> set[Chunk]:
    """Those of all objects and environments. Small ones hold names of environments, which may change."""
    data = (store / "manifest").read_bytes()
    _, _, _, *numbers, _ = _HEADING.unpack_from(data)
    packs, chunk_count, entry_count, ref_count, _ = numbers[5:]
    chunks_at = _HEADING.size + packs * _PACK_BYTES
    entries_at = chunks_at + chunk_count * _CHUNK.size
    refs_at = entries_at + entry_count * _ENTRY.size
    chunks = [_CHUNK.unpack_from(data, chunks_at + i * _CHUNK.size) for i in range(chunk_count)]
    refs = struct.unpack_from(f"<{ref_count}I", data, refs_at)
    found: set[Chunk] = set()
    for i in range(entry_count):
        _, _, _, first, _, count, _, _, _, _, kind, _ = _ENTRY.unpack_from(data, entries_at + i * _ENTRY.size)
        if kind != FACT:
            own = [chunks[ref] for ref in refs[first : first + count]]
            found.update((low, high, raw) for low, high, _, _, _, raw, _ in own if raw >= LARGE)
    return found
