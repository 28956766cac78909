"""The editor's documents while the session runs, and what listeners hear of their changes."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import DeferredLock

from rsession.error_code import ErrorCode, RpcError
from rsession.service_api import ServiceApi
from rsession.services.background import Background, in_thread
from rsession.services.disk_file import Stamp, digest, read_bytes, replace_file
from rsession.services.document import Document, TextRefused, check_text, is_type, type_of
from rsession.services.document_writer import DocumentWriter
from rsession.services.project_text import encoding_of, for_saving, format_of_new
from rsession.services.source_database import MAX_DOCUMENTS, SourceDatabase
from rsession.services.text_format import MAX_BYTES, NotText, TextFormat, decode
from rsession.services.user_path import absolute_path

_MAX_TOTAL_CHARACTERS = 64 * 1024 * 1024


class ChangedOnDisk(Exception):
    """Saving would overwrite what somebody else wrote."""


@dataclass(frozen=True)
class FileText:
    """A text file as read."""

    real_path: str
    text: str
    format: TextFormat
    stamp: Stamp


class Documents:
    """All open documents; the newest state of each is in memory, and on disk before a change is answered."""

    def __init__(self, api: ServiceApi, background: Background = in_thread) -> None:
        self._api = api
        self._events = api.events
        self._home = api.environment.get("HOME", "/")
        self._background = background
        self._database = SourceDatabase(api.paths.sources)
        self._writer = DocumentWriter(self._database, background)
        self._opening = DeferredLock()
        self._locks: dict[str, DeferredLock] = {}
        self._open = {document.id: document for document in self._database.load()}
        self._editor = api.editor
        self._editor.documents = lambda: tuple(self._open.values())

    def summaries(self) -> list[dict[str, object]]:
        """Every document without its contents."""
        return [document.as_json(with_contents=False) for document in self._open.values()]

    def described(self) -> list[dict[str, object]]:
        """Every document with its contents, for client_init."""
        return [document.as_json() for document in self._open.values()]

    @property
    def all(self) -> list[Document]:
        """Every open document."""
        return [*self._open.values()]

    def has(self, id_: str) -> bool:
        """Whether it is open."""
        return id_ in self._open

    def get(self, id_: str) -> Document:
        """Raises RpcError PARAM_INVALID."""
        document = self._open.get(id_)
        if document is None:
            raise RpcError(ErrorCode.PARAM_INVALID, f"there is no open document {id_[:64]}")
        return document

    async def new(self, type_: str, contents: str) -> dict[str, object]:
        """Open a document without file."""
        if not is_type(type_):
            raise RpcError(ErrorCode.PARAM_INVALID, "type must be a word of lower-case letters")
        try:
            untitled = self._numbered(type=type_, name=self._untitled())
            empty = replace(untitled, format=format_of_new(self._api.project).for_text(contents))
            document = replace(empty.with_text(contents), revision=1) if contents else empty
        except TextRefused as error:
            raise RpcError(ErrorCode.PARAM_INVALID, str(error)) from None
        return await self._add(document)

    async def open(self, path_text: str) -> dict[str, object]:
        """Open a file, or answer with the document in which it is open; one file at a time."""
        path = absolute_path(path_text, self._home)
        await self._opening.acquire()
        try:
            return await self._open_file(path)
        finally:
            self._opening.release()

    async def _open_file(self, path: Path) -> dict[str, object]:
        file = await self.read_file(str(path))
        known = await self._background(_find_same, file.real_path, [*self._open.values()])
        if known is not None and known in self._open:
            return (await self._refreshed(self._open[known], file)).as_json()
        document = self._numbered(type=type_of(path.name), name=path.name, path=str(path))
        return await self._add(replace(document, **_from_file(file)))

    async def _refreshed(self, document: Document, file: FileText) -> Document:
        if document.is_dirty or document.stamp == file.stamp:
            return document
        is_same = document.text == file.text
        revision = document.revision + (not is_same)
        document = replace(document, revision=revision, **_from_file(file))
        await self._store(document, with_properties=True, client=None)
        return document

    async def update(self, client: str, id_: str, base: int, start: int, end: int, insert: str) -> dict[str, object]:
        """Replace a piece of the text that had revision `base`."""
        document = self.get(id_)
        if document.revision != base:
            message = f"the document has revision {document.revision}, not {base}"
            raise RpcError(ErrorCode.STALE_REVISION, message)
        return await self._change(client, document, lambda: document.spliced(start, end, insert))

    async def set(self, client: str, id_: str, contents: str) -> dict[str, object]:
        """Replace the whole text, whatever its revision."""
        document = self.get(id_)
        return await self._change(client, document, lambda: document.with_text(contents))

    async def save(self, client: str, id_: str, path_text: str | None, overwrite: bool) -> dict[str, object]:
        """Write the file; one save of a document at a time."""
        self.get(id_)
        lock = self._locks.setdefault(id_, DeferredLock())
        await lock.acquire()
        try:
            return await self._save(client, self.get(id_), path_text, overwrite)
        finally:
            lock.release()

    async def bring(self, id_: str, text: str) -> None:
        """The text that several edit together; lines that stay keep their line endings."""
        document = self.get(id_)
        if document.text != text:
            try:
                changed = document.with_lines_of(text)
            except TextRefused as error:
                raise RpcError(ErrorCode.PARAM_INVALID, str(error)) from None
            await self._store(changed, with_properties=True, client=None)

    async def refresh(self, id_: str) -> dict[str, object]:
        """Look at the file again, which somebody else has written; the text stays as it is."""
        path = self.get(id_).path
        if path is None:
            raise RpcError(ErrorCode.PARAM_INVALID, "the document has no file yet")
        if not await self._background(os.path.exists, path):
            return await self._without_file(id_)
        file = await self.read_file(path)
        now = self.get(id_)
        is_same = now.text == file.text
        text_format = file.format if is_same else now.format
        saved = digest(file.text.encode())
        now = replace(now, stamp=file.stamp, saved_digest=saved, format=text_format, is_dirty=not is_same)
        await self._store(now, with_properties=True, client=None)
        return now.as_json()

    async def _without_file(self, id_: str) -> dict[str, object]:
        """Somebody has removed it: the text is nowhere but here."""
        now = replace(self.get(id_), stamp=None, saved_digest="", is_dirty=True)
        await self._store(now, with_properties=True, client=None)
        return now.as_json()

    async def read_file(self, path: str) -> FileText:
        """A text file as it is now; RpcError."""
        try:
            return await self._background(_read_text, Path(path), encoding_of(self._api.project))
        except NotText as error:
            raise RpcError(ErrorCode.PARAM_INVALID, f"{path} cannot be opened: {error}") from None
        except OSError as error:
            raise RpcError(ErrorCode.PARAM_INVALID, f"{path} cannot be opened: {_reason(error)}") from None

    async def close(self, id_: str) -> None:
        """Forget the document; its text stays in the state folder until the session ends."""
        self.get(id_)
        del self._open[id_]
        self._locks.pop(id_, None)
        self._events.emit("document_closed", {"id": id_})
        self._editor.changed()
        try:
            await self._writer.close(id_)
        except OSError as error:
            raise RpcError(ErrorCode.NOT_WRITABLE, f"the state folder cannot be written: {_reason(error)}") from None

    def end(self) -> None:
        """The session ends as it should: closed documents need not be kept."""
        self._database.forget_closed()

    async def _change(self, client: str, before: Document, change: Callable[[], Document]) -> dict[str, object]:
        try:
            document = change()
        except TextRefused as error:
            raise RpcError(ErrorCode.PARAM_INVALID, str(error)) from None
        self._check_total(len(document.text) - len(before.text))
        properties_changed = (before.is_dirty, before.format) != (document.is_dirty, document.format)
        await self._store(document, properties_changed, client)
        return {"revision": document.revision}

    async def _save(self, client: str, document: Document, path_text: str | None, overwrite: bool) -> dict[str, object]:
        if path_text is None and document.path is None:
            raise RpcError(ErrorCode.PARAM_INVALID, "path is needed: the document has no file yet")
        path = absolute_path(path_text or document.path or "", self._home)
        expected = document.stamp if str(path) == document.path else None
        text_format = for_saving(document.format, self._api.project).for_text(document.text)
        try:
            content = text_format.encode(document.text)
            stamp = await self._background(_write_text, path, content, expected, overwrite)
        except ChangedOnDisk as error:
            raise RpcError(ErrorCode.CHANGED_ON_DISK, f"{path} {error}") from None
        except OSError as error:
            raise RpcError(ErrorCode.NOT_WRITABLE, f"{path} cannot be written: {_reason(error)}") from None
        self._api.saved(str(path))
        saved = self._after_save(document, path, text_format, stamp)
        if document.id in self._open:
            await self._store(saved, with_properties=True, client=client)
        return saved.as_json()

    def _after_save(self, written: Document, path: Path, text_format: TextFormat, stamp: Stamp) -> Document:
        now = self._open.get(written.id, written)
        is_moved = str(path) != now.path
        return replace(
            now,
            path=str(path),
            name=path.name,
            type=type_of(path.name) if is_moved else now.type,
            stamp=stamp,
            format=text_format if now.revision == written.revision else now.format,
            saved_digest=digest(written.text.encode()),
            is_dirty=now.text != written.text,
        )

    async def _add(self, document: Document) -> dict[str, object]:
        if len(self._open) >= MAX_DOCUMENTS:
            raise RpcError(ErrorCode.PARAM_INVALID, f"{MAX_DOCUMENTS} documents are open; close one first")
        self._check_total(len(document.text))
        self._open[document.id] = document
        try:
            await self._write(document, with_properties=True)
        except RpcError:
            self._open.pop(document.id, None)
            raise
        self._events.emit("document_opened", {"document": document.as_json()})
        self._editor.changed()
        return document.as_json()

    async def _store(self, document: Document, with_properties: bool, client: str | None) -> None:
        self._open[document.id] = document
        data = {"id": document.id, "revision": document.revision, "clientId": client, "dirty": document.is_dirty}
        self._events.emit("document_changed", data)
        self._editor.changed()
        await self._write(document, with_properties)

    async def _write(self, document: Document, with_properties: bool) -> None:
        try:
            await self._writer.write(document, with_properties)
        except OSError as error:
            message = f"the change is not safe, the state folder cannot be written: {_reason(error)}"
            raise RpcError(ErrorCode.NOT_WRITABLE, message) from None

    def _check_total(self, more: int) -> None:
        if more > 0 and sum(len(document.text) for document in self._open.values()) + more > _MAX_TOTAL_CHARACTERS:
            raise RpcError(ErrorCode.PARAM_INVALID, "too much text is open; close a document first")

    def _numbered(self, type: str, name: str, path: str | None = None) -> Document:  # noqa: A002
        order = 1 + max((document.order for document in self._open.values()), default=0)
        return Document(self._new_id(), order, time.time(), type=type, name=name, path=path)

    def _new_id(self) -> str:
        id_ = os.urandom(4).hex()
        return id_ if id_ not in self._open else self._new_id()

    def _untitled(self) -> str:
        names = {document.name for document in self._open.values()}
        return next(name for n in range(1, MAX_DOCUMENTS + 2) if (name := f"Untitled{n}") not in names)


def _read_text(path: Path, encoding: str) -> FileText:
    content, stamp = read_bytes(path, MAX_BYTES)
    text, text_format = decode(content, encoding)
    return FileText(os.path.realpath(path), text, text_format, stamp)


def _find_same(real_path: str, documents: list[Document]) -> str | None:
    same = (doc.id for doc in documents if doc.path is not None and os.path.realpath(doc.path) == real_path)
    return next(same, None)


def _from_file(file: FileText) -> dict[str, Any]:
    return {
        "text": check_text(file.text),
        "format": file.format,
        "stamp": file.stamp,
        "saved_digest": digest(file.text.encode()),
        "is_dirty": False,
    }


def _write_text(path: Path, content: bytes, expected: Stamp | None, overwrite: bool) -> Stamp:
    if not overwrite and path.exists():
        if expected is None:
            raise ChangedOnDisk("exists already")
        if not expected.is_of(path):
            raise ChangedOnDisk("was changed by another program since it was read")
    return replace_file(path, content)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
