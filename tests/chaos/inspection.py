"""Looks at a session as its user does, and says what is not as it was confirmed."""

import random
import time
from typing import Any

from tests.chaos import value
from tests.chaos.door import Door, Interrupted, Refused
from tests.chaos.homes import Home
from tests.chaos.life import settled
from tests.chaos.listener import BrokenStream, Listener
from tests.chaos.session_model import DocumentModel, SessionModel
from tests.chaos.use import Violation

_PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 0.3


def inspect(model: SessionModel, door: Door, home: Home) -> list[str]:
    """What is wrong; the session runs afterwards. Violation when it cannot be made to answer."""
    complaints: list[str] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            _look(model, door, home, complaints)
            return complaints
        except (Interrupted, Refused) as error:
            # What was done to it may be under way still: a signal, a suspension, a part of the server that comes back.
            if time.monotonic() > deadline:
                raise Violation("; ".join([*complaints, f"it cannot be reached: {error}"])) from None
            time.sleep(_PAUSE_SECONDS)


def _look(model: SessionModel, door: Door, home: Home, complaints: list[str]) -> None:
    complaints += _shown(model, door)
    hello = door.greet()
    same = hello["stream"] == model.stream
    output = door.run(value.ASK, 60)
    if not (same or model.may_be_replaced or not model.stream):
        complaints.append(f"process {model.pid} was replaced by {hello['session']['pid']}, nothing was done to it")
    complaints += _console(model, hello, same)
    complaints += _objects(model, output, same)
    model.stream, model.pid = hello["stream"], hello["session"]["pid"]
    complaints += _replay(model, door)
    complaints += _documents(model, door, home, same)
    model.settle()


def _shown(model: SessionModel, door: Door) -> list[str]:
    """Whether its state is one that can be, and says why; it is started when nobody else would."""
    shown = settled(door)
    state, cause = shown["state"], shown["cause"]
    complaints = []
    if state == "failed" and not (model.hurt or model.unwatched == model.pid):
        complaints.append(f"it is shown as failed, nothing killed it: {cause}")
    if state == "absent" and cause and not (model.ended or model.hurt):
        complaints.append(f"it is shown as ended, nobody ended it: {cause}")
    if state in {"failed", "suspended"} and not cause:
        complaints.append(f"it is {state}, and no sentence says why")
    if state == "failed" or (state == "absent" and cause):
        door.rest("POST", "/resume", {})
    return complaints


def _console(model: SessionModel, hello: dict[str, Any], same: bool) -> list[str]:
    actions = hello["console"]["actions"]
    shown = "".join(action["text"] for action in actions if action["type"] == "output")
    complaint = model.console.judge(shown, same)
    return [complaint] if complaint else []


def _objects(model: SessionModel, output: str, same: bool) -> list[str]:
    found = value.read(output)
    if found is None:
        return [f"R does not tell its state: {output[-500:]!r}"]
    complaint = model.objects.judge(found, same)
    return [f"objects: {complaint}"] if complaint else []


def _replay(model: SessionModel, door: Door) -> list[str]:
    """All events of this process once more."""
    newest, door.visitor.seen = door.seen, 0
    listener = Listener(door, random.Random(model.number))
    try:
        while door.seen < newest:
            listener.take(door.call("get_events", door.seen))
    except BrokenStream as error:
        return [f"replay: {error}"]
    return []


def _documents(model: SessionModel, door: Door, home: Home, same: bool) -> list[str]:
    there = {document["id"] for document in door.call("list_documents")}
    complaints = []
    for id_, document in list(model.documents.items()):
        if id_ in there:
            contents = door.call("get_document", id_)["contents"]
            complaint = document.text.judge(contents, same)
            complaints += [f"document {id_}: {complaint}"] if complaint else []
        else:
            complaints.append(f"document {id_} is gone")
            del model.documents[id_]
        complaints += _file(document, home)
    return complaints


def _file(document: DocumentModel, home: Home) -> list[str]:
    if document.file is None or document.path is None:
        return []
    path = home.path / document.path.removeprefix("~/")
    contents = path.read_text() if path.exists() else ""
    complaint = document.file.judge(contents, same_process=False)
    return [f"file {path}: {complaint}"] if complaint else []
