"""The RPC methods of the editor's documents."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from rsession.rpc_method import Method, Param
from rsession.service_api import ServiceApi
from rsession.services.documents import Documents

_ID = Param("id", "string")
_OFFSETS = (Param("base_revision", "integer"), Param("from", "integer"), Param("to", "integer"))
_PATH = Param("path", "string", None, nullable=True)


def register(api: ServiceApi) -> Documents:
    """Enter the methods, and the documents into client_init."""
    documents = Documents(api)
    for method in _methods(documents):
        api.rpc.add(method)
    api.add_to_client_init("documents", documents.described)
    api.on_end(documents.end)
    return documents


def _methods(documents: Documents) -> list[Method]:
    new = (Param("type", "string", "r"), Param("contents", "string", ""))
    update = (_ID, *_OFFSETS, Param("insert", "string"))
    set_ = (_ID, Param("contents", "string"))
    save = (_ID, _PATH, Param("overwrite", "boolean", False))
    return [
        Method("new_document", new, _later(documents.new), "Open a document that has no file yet."),
        Method("open_document", (Param("path", "string"),), _later(documents.open), _OPEN),
        Method("list_documents", (), documents.summaries, "All open documents without their contents.", is_use=False),
        Method(
            "get_document",
            (_ID,),
            lambda id_: documents.get(id_).as_json(),
            "One document with its contents.",
            is_use=False,
        ),
        Method("update_document", update, _later(documents.update), _UPDATE, wants_client=True),
        Method("set_document", set_, _later(documents.set), "Replace the whole text.", wants_client=True),
        Method("save_document", save, _later(documents.save), _SAVE, wants_client=True),
        Method("refresh_document", (_ID,), _later(documents.refresh), _REFRESH, is_use=False),
        Method("close_document", (_ID,), _later(documents.close), _CLOSE),
    ]


_OPEN = "Open a text file of at most 5 MiB; a file that is open already answers its document."
_UPDATE = "Replace the UTF-16 units `from` … `to`; code 1001 when `base_revision` is not the current one."
_SAVE = "Write the file; code 1002 when it changed on disk, 1003 with the reason when it cannot be written."
_REFRESH = "Look at the file again, which somebody else has written; the text stays."
_CLOSE = "Close a document; its text stays in the state folder until the session ends."


def _later(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Deferred[Any]]:
    return lambda *arguments: ensureDeferred(work(*arguments))
