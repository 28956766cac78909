"""Reading in pieces of a bounded size: what a slow reader leaves behind in memory is one such piece."""

import asyncio

_SIZE = 64 * 1024
# One for all: the loop asks for it, reads into it and tells of it without anything between.
_BUFFER = memoryview(bytearray(_SIZE))


class SmallReads(asyncio.BufferedProtocol):
    """A protocol whose `data_received` gets at most 64 KiB; by itself uvloop reads four times as much at once."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """What has arrived."""
        raise NotImplementedError

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_BUFFER[:nbytes]))
