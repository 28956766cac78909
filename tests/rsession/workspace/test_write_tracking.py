"""What the kernel says about written pages, asked through the same C file as in a session."""

import ctypes
import mmap
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "rsession/shim/write_tracking.c"
PAGE = mmap.PAGESIZE
PAGES = 64
PROT = mmap.PROT_READ | mmap.PROT_WRITE
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
MAP_FIXED = 16
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
MADV_FREE, MADV_HUGEPAGE = 8, 14
HUGE = 2 << 20


class Memory:
    """The C library's calls, and the tracking, on addresses."""

    def __init__(self, library: str) -> None:
        self.c = ctypes.CDLL(None, use_errno=True)
        self.c.mmap.restype = self.c.mremap.restype = ctypes.c_void_p
        self.c.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        self.c.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]
        self.c.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.c.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self.c.read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
        self.shim = ctypes.CDLL(library)
        self.shim.write_tracking_start.restype = ctypes.c_char_p
        for name in ("protect", "is_unwritten"):
            function = getattr(self.shim, f"write_tracking_{name}")
            function.argtypes, function.restype = [ctypes.c_size_t, ctypes.c_size_t], ctypes.c_bool

    def map(self, size: int = PAGES * PAGE, at: int = 0, flags: int = PRIVATE, file: int = -1) -> int:
        """Memory whose pages are all there."""
        start = self.c.mmap(at or None, size, PROT, flags | (MAP_FIXED if at else 0), file, 0)
        assert start not in (None, ctypes.c_void_p(-1).value)
        ctypes.memset(start, 1, size)
        return int(start)

    def protected(self, size: int = PAGES * PAGE) -> int:
        """Memory, from whose start on writes are noticed."""
        start = self.map(size)
        assert self.protect(start, size)
        assert self.is_unwritten(start, size)
        return start

    def protect(self, start: int, size: int = PAGES * PAGE) -> bool:
        """Notice writes from now on."""
        return bool(self.shim.write_tracking_protect(start, start + size))

    def is_unwritten(self, start: int, size: int = PAGES * PAGE) -> bool:
        """Nothing was written there."""
        return bool(self.shim.write_tracking_is_unwritten(start, start + size))


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("tracking") / "tracking.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    memory = Memory(str(library))
    reason = memory.shim.write_tracking_start()
    if reason is not None:
        pytest.skip(reason.decode())
    return memory


def test_memory_that_was_never_protected_counts_as_written(memory: Memory) -> None:
    assert not memory.is_unwritten(memory.map())


def test_reading_changes_nothing(memory: Memory) -> None:
    start = memory.protected()
    assert ctypes.string_at(start, PAGES * PAGE) == b"\1" * PAGES * PAGE
    assert memory.is_unwritten(start)


def test_one_written_byte_is_noticed_in_its_page_alone(memory: Memory) -> None:
    start = memory.protected()
    ctypes.memset(start + 5 * PAGE + 17, 1, 1)
    assert not memory.is_unwritten(start)
    assert memory.is_unwritten(start, 5 * PAGE)
    assert not memory.is_unwritten(start + 5 * PAGE, PAGE)
    assert memory.is_unwritten(start + 6 * PAGE, 58 * PAGE)


def test_protecting_anew_forgets_the_writes(memory: Memory) -> None:
    start = memory.protected()
    ctypes.memset(start, 2, PAGE)
    assert memory.protect(start)
    assert memory.is_unwritten(start)


def _read_into(memory: Memory, start: int) -> None:
    file = os.open("/dev/zero", os.O_RDONLY)
    assert memory.c.read(file, start + PAGE, 10) == 10
    os.close(file)


def _unmap_and_map(memory: Memory, start: int) -> None:
    memory.c.munmap(start + PAGE, PAGE)
    memory.map(PAGE, at=start + PAGE)


def _map_unmapped_and_read(memory: Memory, start: int) -> None:
    assert memory.c.mmap(start + PAGE, PAGE, PROT, PRIVATE | MAP_FIXED, -1, 0) == start + PAGE
    assert ctypes.string_at(start + PAGE, 1) == b"\0"


def _unmap(memory: Memory, start: int) -> None:
    memory.c.munmap(start + PAGE, PAGE)


def _give_back(memory: Memory, start: int) -> None:
    assert memory.c.madvise(start + PAGE, PAGE, mmap.MADV_DONTNEED) == 0


def _give_back_and_read(memory: Memory, start: int) -> None:
    _give_back(memory, start)
    assert ctypes.string_at(start + PAGE, 1) == b"\0"


def _move_away(memory: Memory, start: int) -> None:
    assert memory.c.mremap(start + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory.map(PAGE))


def _move_here(memory: Memory, start: int) -> None:
    other = memory.protected()
    moved = memory.c.mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, start + PAGE)
    assert moved == start + PAGE


def _move_within(memory: Memory, start: int) -> None:
    moved = memory.c.mremap(start, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, start + PAGE)
    assert moved == start + PAGE


def _map_file(memory: Memory, start: int) -> None:
    file = os.open("/proc/self/exe", os.O_RDONLY)
    assert memory.c.mmap(start + PAGE, PAGE, PROT, mmap.MAP_PRIVATE | MAP_FIXED, file, 0) == start + PAGE
    os.close(file)
    assert ctypes.string_at(start + PAGE, 4) == b"\x7fELF"


def _share(memory: Memory, start: int) -> None:
    memory.map(PAGE, at=start + PAGE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


WAYS = [
    _read_into,
    _unmap,
    _unmap_and_map,
    _map_unmapped_and_read,
    _give_back,
    _give_back_and_read,
    _move_away,
    _move_here,
    _move_within,
    _map_file,
    _share,
]


@pytest.mark.parametrize("change", WAYS)
def test_other_ways_to_other_bytes_are_noticed(memory: Memory, change: Callable[[Memory, int], None]) -> None:
    start = memory.protected()
    change(memory, start)
    assert not memory.is_unwritten(start)
    assert not memory.is_unwritten(start + PAGE, PAGE)


def test_files_that_others_may_change_are_never_unwritten(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\1" * PAGES * PAGE)
    with path.open("r+b") as file:
        for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
            start = int(memory.c.mmap(None, PAGES * PAGE, PROT, flags, file.fileno(), 0))
            assert ctypes.string_at(start, 1) == b"\1"
            memory.protect(start)
            assert not memory.is_unwritten(start)


def test_a_fork_changes_nothing_and_a_child_tracks_nothing(memory: Memory) -> None:
    start = memory.protected()
    child = os.fork()
    if child == 0:
        ctypes.memset(start, 2, PAGE)
        os._exit(int(memory.is_unwritten(start + PAGE, PAGE) or memory.protect(start)))
    assert os.waitpid(child, 0)[1] == 0
    assert memory.is_unwritten(start)
    ctypes.memset(start, 2, PAGE)
    assert not memory.is_unwritten(start)


def test_a_page_that_is_kept_from_a_fork_stays_as_it_is(memory: Memory) -> None:
    start = memory.protected()
    for advice in (mmap.MADV_DONTFORK, mmap.MADV_DOFORK):
        assert memory.c.madvise(start + PAGE, PAGE, advice) == 0
        assert memory.is_unwritten(start)
    ctypes.memset(start + PAGE, 2, 1)
    assert not memory.is_unwritten(start)


def test_huge_pages_are_told_apart_by_small_ones(memory: Memory) -> None:
    start = int(memory.c.mmap(None, 4 * HUGE, PROT, PRIVATE, -1, 0) + HUGE - 1) & ~(HUGE - 1)
    assert memory.c.madvise(start, HUGE, MADV_HUGEPAGE) == 0
    ctypes.memset(start, 1, HUGE)
    assert memory.protect(start, HUGE)
    assert memory.is_unwritten(start, HUGE)
    ctypes.memset(start + 100 * PAGE, 2, 1)
    assert not memory.is_unwritten(start, HUGE)
    assert memory.is_unwritten(start, 100 * PAGE)
    assert memory.is_unwritten(start + 101 * PAGE, HUGE - 101 * PAGE)
    assert memory.protect(start, HUGE)
    assert memory.c.madvise(start + PAGE, PAGE, MADV_FREE) == 0
    ctypes.memset(start + PAGE, 1, 1)
    assert not memory.is_unwritten(start, HUGE)
