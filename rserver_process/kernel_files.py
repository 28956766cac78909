"""Small files of the kernel (/proc, /sys), read and written by bare system calls.

Python's buffered and decoding files would cost every keeper half a megabyte of pages that it could share.
"""

import os

_LARGEST = 1 << 20


def read(path: str) -> str:
    """The whole file; OSError when it cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while (chunk := os.read(fd, 1 << 16)) and len(content) < _LARGEST:
            content += chunk
    finally:
        os.close(fd)
    return content.decode("utf-8", "surrogateescape")


def write(path: str, text: str) -> None:
    """Write to a file that exists; a plain directory that only looks like the kernel's gets no new file."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode("ascii"))
    finally:
        os.close(fd)
