"""What users do with a session."""

import contextlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.chaos import value
from tests.chaos.console_record import lines_of, order_complaint
from tests.chaos.door import Door, Interrupted, Refused
from tests.chaos.listener import BrokenStream, Listener
from tests.chaos.operation import Kind
from tests.chaos.session_model import DocumentModel, SessionModel, State
from tests.chaos.versions import Versions

_PRINT_SECONDS = 60.0
_NOT_WRITABLE = 1003
_MOST_DOCUMENTS = 4


class Violation(Exception):
    """Something that was confirmed is not so."""


def change(model: SessionModel, door: Door, state: State, code: str) -> None:
    """Run code that makes the session's state this one."""
    index = model.objects.begin(state)
    mark = f"<A{index}>"
    output = door.run(f'{code}; cat("{mark}\\n")')
    if mark not in output:
        raise Interrupted(f"R wrote {output[-300:]!r}")
    model.objects.execute(index)


def assign(model: SessionModel, door: Door, source: random.Random) -> None:
    """New values for some objects; some are removed."""
    for name in source.sample(value.NAMES, source.randint(1, 3)):
        state = dict(model.objects.newest)
        if name in state and source.random() < 0.2:
            del state[name]
            change(model, door, state, f"rm({name})")
        else:
            new = value.Value.draw(source)
            state[name] = new.digest
            change(model, door, state, f"{name} <- {new.code}")


def settings(model: SessionModel, door: Door, source: random.Random) -> None:
    """An option, a variable of the environment, the working directory."""
    state, number = dict(model.objects.newest), source.randrange(1000)
    match source.choice(["opt", "env", "cwd"]):
        case "opt":
            state["opt"] = str(number)
            change(model, door, state, f'options(chaos.n = "{number}")')
        case "env":
            state["env"] = str(number)
            change(model, door, state, f'Sys.setenv(CHAOS_N = "{number}")')
        case _:
            state["cwd"] = f"d{number % 4}"
            change(model, door, state, f'setwd("~/{state["cwd"]}")')


def print_lines(model: SessionModel, doors: list[Door], source: random.Random) -> None:
    """A loop that prints, read by as many listeners as there are doors."""
    lines = model.console.take(source.randint(20, 120))
    pause = source.choice([0, 0.002, 0.01])
    body = 'cat("<L", i, ">\\n", sep = "")' + (f"; Sys.sleep({pause})" if pause else "")
    mark = f"<P{lines[-1]}>\n"
    listeners = [Listener(door, random.Random(source.randrange(1 << 32))) for door in doors]
    code = f'for (i in {lines[0]}:{lines[-1]}) {{ {body} }}; cat("<P", {lines[-1]}, ">\\n", sep = "")'
    doors[0].call("console_input", code, "")
    with ThreadPoolExecutor(len(listeners)) as readers:
        try:
            came = list(readers.map(lambda listener: listener.read_until(mark, _PRINT_SECONDS), listeners))
        except BrokenStream as error:
            raise Violation(str(error)) from None
    for listener in listeners:
        _judge_lines(model, listener.text, lines)
    if not all(came):
        raise Interrupted("not every line came")


def _judge_lines(model: SessionModel, text: str, lines: range) -> None:
    read = [line for line in lines_of(text) if line in lines]
    model.console.deliver(read)
    complaint = order_complaint(read)
    if complaint or read != list(lines[: len(read)]):
        raise Violation(f"a listener read other lines than were printed: {complaint or read}")


def draw_plot(_model: SessionModel, door: Door, source: random.Random) -> None:
    """A plot, and its picture."""
    output = door.run(f'plot({source.randint(2, 50)}:1); cat("<drawn>\\n")')
    if "<drawn>" not in output:
        raise Interrupted(f"R wrote {output[-300:]!r}")
    plots = door.call("get_plots")
    if not plots["plots"]:
        raise Violation("there is no plot after plot()")


def edit(model: SessionModel, door: Door, source: random.Random) -> None:
    """Some changes to documents, one after the other."""
    for _ in range(source.randint(1, 3)):
        with _refused_writing():
            _edit_once(model, door, source)


def _edit_once(model: SessionModel, door: Door, source: random.Random) -> None:
    if not model.documents or (len(model.documents) < _MOST_DOCUMENTS and source.random() < 0.3):
        _new(model, door, source)
        return
    id_ = source.choice(sorted(model.documents))
    document = model.documents[id_]
    match source.choice(["set", "update", "update", "save"]):
        case "set":
            index = document.text.begin(_text(source))
            door.call("set_document", id_, document.text.newest)
        case "update":
            index = _update(document, door, id_, source)
        case _:
            _save(model, document, door, id_)
            return
    document.text.confirm(index)
    document.text.execute(index)


def _new(model: SessionModel, door: Door, source: random.Random) -> None:
    text = _text(source)
    made = door.call("new_document", "r", text)
    model.documents[made["id"]] = DocumentModel(Versions([text]))


def _update(document: DocumentModel, door: Door, id_: str, source: random.Random) -> int:
    old = document.text.newest
    revision = door.call("get_document", id_)["revision"]
    start = source.randint(0, len(old))
    end = min(len(old), start + source.randint(0, 20))
    insert = f"<{source.randrange(10**6)}>\n"
    index = document.text.begin(old[:start] + insert + old[end:])
    door.call("update_document", id_, revision, start, end, insert)
    return index


def _save(model: SessionModel, document: DocumentModel, door: Door, id_: str) -> None:
    document.path = document.path or f"~/s{model.number}-{id_}.R"
    if document.file is None:
        document.file = Versions([""])
    index = document.file.begin(document.text.newest)
    door.call("save_document", id_, document.path, True)
    document.file.confirm(index)


def _text(source: random.Random) -> str:
    number = source.randrange(10**6)
    return f"# text {number}\n" + f"x{number} <- {number}\n" * source.choice([0, 3, 200, 4000])


@contextlib.contextmanager
def _refused_writing() -> Iterator[None]:
    """A home that cannot be written is told to the user: the change is not confirmed, nothing else follows."""
    try:
        yield
    except Refused as error:
        if error.code != _NOT_WRITABLE:
            raise
        raise Interrupted(str(error)) from None


USE = {Kind.ASSIGN: assign, Kind.SETTINGS: settings, Kind.DOCUMENT: edit, Kind.PLOT: draw_plot}
