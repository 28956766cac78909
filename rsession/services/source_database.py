"""Open documents in the state folder: `<id>` has properties as JSON, `<id>-contents` the text. Blocking."""

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rsession.encodings import is_usable
from rsession.services.disk_file import Stamp, digest, read_bytes, sync_folder, write_private
from rsession.services.document import Document, is_type
from rsession.services.line_endings import LineEndings
from rsession.services.text_format import MAX_BYTES, TextFormat

_ID = re.compile(r"[0-9a-f]{8}")
_CLOSED_KEPT = 50
MAX_DOCUMENTS = 200


@dataclass(frozen=True)
class SourceDatabase:
    """The folder of one session."""

    folder: Path

    def load(self) -> list[Document]:
        """What an earlier process of this session left, in order; what cannot be read stays where it is, unlisted."""
        if not self.folder.is_dir():
            return []
        self._forget_unfinished()
        ids = sorted(entry.name for entry in self.folder.iterdir() if _ID.fullmatch(entry.name))
        documents = [document for id_ in ids if (document := self._load_one(id_)) is not None]
        return sorted(documents, key=lambda document: (document.order, document.created))[:MAX_DOCUMENTS]

    def write(self, document: Document, with_properties: bool) -> None:
        """Bring the document to disk; raises OSError and leaves what was there before."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._contents(document.id), document.text.encode())
        if with_properties:
            write_private(self.folder / document.id, _properties(document))
        sync_folder(self.folder)

    def close(self, id_: str) -> None:
        """Put a document's files away until the session ends."""
        closed = self.folder / "closed"
        closed.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.folder / id_, self._contents(id_)):
            with suppress(FileNotFoundError):
                path.rename(closed / path.name)
        _forget_oldest(closed, 2 * _CLOSED_KEPT)
        sync_folder(self.folder)

    def remove(self, id_: str) -> None:
        """Forget a document. Raises OSError."""
        for path in (self.folder / id_, self._contents(id_)):
            path.unlink(missing_ok=True)

    def forget_closed(self) -> None:
        """Remove what `close` put away; the session ends."""
        closed = self.folder / "closed"
        with suppress(OSError):
            _forget_oldest(closed, 0)
            closed.rmdir()

    def _forget_unfinished(self) -> None:
        """What a process wrote aside when it was killed."""
        for path in self.folder.glob(".*.part"):
            with suppress(OSError):
                path.unlink()

    def _contents(self, id_: str) -> Path:
        return self.folder / f"{id_}-contents"

    def _load_one(self, id_: str) -> Document | None:
        try:
            properties = json.loads(read_bytes(self.folder / id_, MAX_BYTES)[0])
            text = read_bytes(self._contents(id_), MAX_BYTES)[0].decode()
            return _document(id_, properties, text)
        except (OSError, ValueError, TypeError, KeyError):
            return None


def _forget_oldest(folder: Path, kept: int) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[: max(0, len(files) - kept)]:
        path.unlink()


def _properties(document: Document) -> bytes:
    """RStudio's fields where it has one of that meaning, ours beside them."""
    stamp = document.stamp
    fields = {
        "id": document.id,
        "path": document.path,
        "project_path": None,
        "type": "r_source" if document.type == "r" else document.type,
        "hash": document.saved_digest,
        "contents": "",
        "dirty": document.is_dirty,
        "created": document.created * 1000,
        "source_on_save": False,
        "relative_order": document.order,
        "properties": {"tempName": document.name},
        "folds": "",
        "lastKnownWriteTime": stamp.mtime_ns // 10**9 if stamp else 0,
        "encoding": document.format.encoding,
        "collab_server": "",
        "source_window": "",
        "last_content_update": int(time.time() * 1000),
        "read_only": False,
        "byte_order_mark": document.format.has_mark,
        "line_ending": document.format.endings.usual,
        "line_endings": document.format.endings.each,
        "stamp": [stamp.mtime_ns, stamp.size, stamp.digest] if stamp else None,
    }
    return json.dumps(fields, indent=1).encode()


def _document(id_: str, properties: dict[str, object], text: str) -> Document:
    """Raises KeyError, TypeError or ValueError for properties that nobody of ours wrote."""
    type_ = str(properties["type"])
    text_format = _format(properties, text)
    saved_digest = _optional_text(properties["hash"])
    path = _optional_text(properties["path"])
    name = properties["properties"]["tempName"] if isinstance(properties["properties"], dict) else ""
    return Document(
        id=id_,
        order=int(str(properties["relative_order"])),
        created=float(str(properties["created"])) / 1000,
        text=text,
        type="r" if type_ == "r_source" or not is_type(type_) else type_,
        path=path,
        name=str(name),
        # A page that knew the process before must not find its revision again.
        revision=int(time.time()),
        format=text_format,
        saved_digest=saved_digest,
        stamp=_stamp(properties["stamp"]),
        is_dirty=digest(text.encode()) != saved_digest and not (path is None and not text),
    )


def _format(properties: dict[str, object], text: str) -> TextFormat:
    usual, each = str(properties["line_ending"]), str(properties["line_endings"])
    if usual not in ("\n", "\r\n") or set(each) - set("ncr"):
        raise ValueError("line endings")
    if len(each) != text.count("\n"):  # the text was written, then the power failed
        each = ""
    encoding = str(properties["encoding"])
    if not is_usable(encoding):
        encoding = "UTF-8"
    return TextFormat(encoding, properties["byte_order_mark"] is True, LineEndings(usual, each)).for_text(text)


def _stamp(value: object) -> Stamp | None:
    if not isinstance(value, list):
        return None
    mtime_ns, size, hash_ = value
    return Stamp(int(mtime_ns), int(size), str(hash_))


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)
