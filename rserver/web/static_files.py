"""Files that come with the program, from memory: entity tags, pre-compressed twins, long caching of hashed names."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from rserver.web.request import RequestHead, Response
from rserver.web.responses import plain

# Where the bundler puts files whose name holds a hash of their content.
_HASHED = re.compile(r"assets/.*[.-][A-Za-z0-9_-]{8}\.[a-z0-9]+")
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/wasm")


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    content_type: str
    tag: str
    variants: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Folder:
    changed: tuple[int, ...]
    files: dict[str, _File]


class StaticFiles:
    """Folders by their first path segment ("ide", "static"). A folder is read at its first request.

    It is read anew when a file is asked for that it had not, and it has changed since: the bundle was built again.
    Only regular files are served, hidden ones and the compressed twins themselves are not.
    """

    def __init__(self, folders: dict[str, Path]) -> None:
        self._paths = folders
        self._folders: dict[str, _Folder] = {}

    def respond(self, head: RequestHead, prefix: str, name: str) -> Response:
        """The answer for the file of this name below the folder of this prefix."""
        if head.method not in {"GET", "HEAD"}:
            return plain("method not allowed\n", 405)
        file = self._file(prefix, name)
        if file is None:
            return plain("not found\n", 404)
        caching = _FOREVER if _HASHED.fullmatch(name) else _ASK_AGAIN
        headers: tuple[tuple[str, str], ...] = (("ETag", file.tag), ("Vary", "Accept-Encoding"))
        if file.tag in head.headers.get("if-none-match", ""):
            return Response(304, b"", "", headers, cache_control=caching)
        for encoding, content in file.variants:
            if encoding in head.headers.get("accept-encoding", ""):
                headers += (("Content-Encoding", encoding),)
                return Response(200, content, file.content_type, headers, cache_control=caching)
        return Response(200, file.content, file.content_type, headers, cache_control=caching)

    def _file(self, prefix: str, name: str) -> _File | None:
        folder = self._folders.get(prefix)
        if folder is not None and name in folder.files:
            return folder.files[name]
        if prefix not in self._paths:
            return None
        try:
            changed = _changes(self._paths[prefix])
            if folder is None or folder.changed != changed:
                folder = self._folders[prefix] = _Folder(changed, _read_files(self._paths[prefix]))
        except OSError:
            # It is being built just now.
            return None
        return folder.files.get(name)


def _changes(folder: Path) -> tuple[int, ...]:
    """Another value when a file came or went."""
    if not folder.is_dir():
        return ()
    return tuple(path.stat().st_mtime_ns for path in (folder, *sorted(folder.rglob("*/"))))


def _read_files(folder: Path) -> dict[str, _File]:
    twins = tuple(suffix for _, suffix in _ENCODINGS)
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): _read_file(path)
        for path in paths
        if not path.name.endswith(twins) and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def _read_file(path: Path) -> _File:
    content = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type == "text/javascript" or content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return _File(content, content_type, tag, _variants(path, content_type))


def _variants(path: Path, content_type: str) -> tuple[tuple[str, bytes], ...]:
    if not content_type.startswith(_COMPRESSIBLE):
        return ()
    twins = ((encoding, path.with_name(path.name + suffix)) for encoding, suffix in _ENCODINGS)
    return tuple((encoding, twin.read_bytes()) for encoding, twin in twins if twin.is_file())
