"""Files that come with the program, from memory: entity tags, packed twins, ranges, long caching of hashed names."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass, replace
from pathlib import Path

from rserver.web.conditions import accepts_encoding, byte_range, names_tag
from rserver.web.request import RequestHead, Response
from rserver.web.responses import plain

# Where the bundler puts files whose name holds a hash of their content.
_HASHED = re.compile(r"assets/.*[.-][A-Za-z0-9_-]{8}\.[a-z0-9]+")
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# Below this packing wins nothing.
_LEAST_PACKED = 1024
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/wasm")


@dataclass(frozen=True, slots=True)
class _Variant:
    """The bytes of a file in one encoding; each has a tag of its own, as they are not the same bytes."""

    encoding: str
    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class _File:
    """variants: the best first, the file as it is last."""

    content_type: str
    variants: tuple[_Variant, ...]


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
        variant = _chosen(file, head)
        headers: tuple[tuple[str, str], ...] = (("ETag", variant.tag), ("Vary", "Accept-Encoding"))
        if names_tag(head.headers.get("if-none-match", ""), variant.tag):
            return Response(304, b"", "", headers, cache_control=caching)
        if variant.encoding:
            headers += (("Content-Encoding", variant.encoding),)
        return _whole_or_part(head, Response(200, variant.content, file.content_type, headers, cache_control=caching))

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
    digest = hashlib.sha256(content).hexdigest()[:32]
    packed = _packed(path, content) if content_type.startswith(_COMPRESSIBLE) else {}
    variants = [_Variant(encoding, data, f'"{digest}-{encoding}"') for encoding, data in packed.items()]
    return _File(content_type, (*variants, _Variant("", content, f'"{digest}"')))


def _packed(path: Path, content: bytes) -> dict[str, bytes]:
    """By encoding: what was packed when the bundle was built, else by us now."""
    twins = {encoding: path.with_name(path.name + suffix) for encoding, suffix in _ENCODINGS}
    found = {encoding: twin.read_bytes() for encoding, twin in twins.items() if twin.is_file()}
    if not found and len(content) >= _LEAST_PACKED:
        found["gzip"] = gzip.compress(content, 9, mtime=0)
    return found


def _chosen(file: _File, head: RequestHead) -> _Variant:
    """A part is asked for of the file as it is: parts of packed bytes could not be put together by everybody."""
    accepted = "" if "range" in head.headers else head.headers.get("accept-encoding", "")
    return next(each for each in file.variants if not each.encoding or accepts_encoding(accepted, each.encoding))


def _whole_or_part(head: RequestHead, whole: Response) -> Response:
    tag, length = whole.headers[0][1], len(whole.body)
    # If-Range: the part of another content would be of no use.
    wanted = head.headers.get("range", "") if head.headers.get("if-range", tag) == tag else ""
    part = byte_range(wanted, length)
    if part is None:
        return replace(whole, headers=(*whole.headers, ("Accept-Ranges", "bytes")))
    if not part:
        return replace(plain("no such range\n", 416), headers=(("Content-Range", f"bytes */{length}"),))
    shown = ("Content-Range", f"bytes {part.start}-{part.stop - 1}/{length}")
    return replace(whole, status=206, body=whole.body[part.start : part.stop], headers=(*whole.headers, shown))
