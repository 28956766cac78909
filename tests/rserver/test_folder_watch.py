import select
from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from rserver.folder_watch import watch_file


class Reactor:
    """Calls whoever reads, once the kernel has something to tell."""

    def __init__(self) -> None:
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, _reader: Any) -> None:
        """There is none."""

    def turn(self) -> None:
        while ready := select.select(self.readers, [], [], 0)[0]:
            for reader in ready:
                reader.doRead()


def test_the_file_comes_and_goes_and_others_do_not_count(tmp_path: Path) -> None:
    told, reactor, path = list[int](), Reactor(), tmp_path / "offline"

    def changes() -> bool:
        told.clear()
        reactor.turn()
        return bool(told)

    assert watch_file(reactor, path, lambda: told.append(1))  # type: ignore[arg-type]
    assert not changes()
    (tmp_path / "other").write_text("x")
    assert not changes()
    (tmp_path / "other").rename(path)
    assert changes()
    path.write_text("y")
    assert changes()
    path.unlink()
    assert changes()
    for reader in reactor.readers[:]:
        reader.connectionLost(Failure(ConnectionDone()))


def test_where_the_kernel_does_not_tell(tmp_path: Path) -> None:
    reactor = Reactor()
    assert not watch_file(reactor, tmp_path / "gone" / "offline", lambda: None)  # type: ignore[arg-type]
    assert reactor.readers == []
