"""Unsaved texts of a project that may not be written any more: which they are, and saving them elsewhere."""

import os
from typing import TYPE_CHECKING

from rsession.error_code import ErrorCode, RpcError

if TYPE_CHECKING:
    from rsession.services.background import Background
    from rsession.services.document import Document
    from rsession.services.documents import Documents

_MOST_NUMBERS = 100


def unsaved_below(documents: "Documents", *folders: str) -> list["Document"]:
    """Open texts with a file in these folders (its path, or where it leads) that the file does not have."""
    return [each for each in documents.all if each.is_dirty and each.path and _is_below(each.path, folders)]


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(name.startswith(f"{folder}/") for name in (path, os.path.realpath(path)) for folder in folders)


async def save_copies(
    documents: "Documents", unsaved: list["Document"], folder: str, background: "Background"
) -> dict[str, object]:
    """`{"folder", "saved": [{"id", "path"}], "failed": [{"id", "name", "reason"}]}`. RpcError: no such folder."""
    try:
        await background(os.makedirs, folder, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror or error}"
        raise RpcError(ErrorCode.NOT_WRITABLE, message) from None
    saved: list[dict[str, object]] = []
    failed: list[dict[str, object]] = []
    for document in unsaved:
        try:
            saved.append({"id": document.id, "path": await _save(documents, document, folder)})
        except RpcError as error:
            failed.append({"id": document.id, "name": document.name, "reason": error.message})
    return {"folder": folder, "saved": saved, "failed": failed}


async def _save(documents: "Documents", document: "Document", folder: str) -> str:
    stem, ending = os.path.splitext(document.name)
    for number in range(1, _MOST_NUMBERS + 1):
        name = document.name if number == 1 else f"{stem} ({number}){ending}"
        try:
            path = (await documents.save("", document.id, os.path.join(folder, name), False))["path"]
        except RpcError as error:
            if error.code != ErrorCode.CHANGED_ON_DISK:
                raise
        else:
            return str(path)
    raise RpcError(ErrorCode.NOT_WRITABLE, f"{folder} has too many files of that name")
