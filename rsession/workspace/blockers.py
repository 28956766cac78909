"""What stands against suspending a session, each with its reason."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsession.workspace import sentences
from rsession.workspace.children import started_processes
from rsession.workspace.quitting import QUESTION

if TYPE_CHECKING:
    from rsession.console import Console
    from rsession.service_api import RJobs


@dataclass(frozen=True)
class Blocker:
    """`kind` for programs, `reason` for the person."""

    kind: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """For an answer."""
        return {"kind": self.kind, "reason": self.reason}


@dataclass(frozen=True)
class BlockerRules:
    """What the administrator lets stand against a suspension."""

    connections: bool = True
    pointers: bool = True
    incomplete_statement: bool = True
    children: bool = True


def at_the_console(console: "Console", rules: BlockerRules) -> list[Blocker]:
    """Reasons for which R need not be asked."""
    if console.is_busy or console.prompt is None:
        return [Blocker("busy", "R is working.")]
    if console.prompt == QUESTION:
        return [Blocker("modal", "The question whether to save the workspace waits for its answer.")]
    if not console.is_idle_at_top:
        return [
            Blocker("prompt", f"R waits for an answer at the prompt {console.prompt.strip()!r}, or input is queued.")
        ]
    if rules.incomplete_statement and is_incomplete(console):
        return [Blocker("prompt", "A statement at the console is not complete.")]
    return []


def is_incomplete(console: "Console") -> bool:
    """R waits for the rest of a statement."""
    return console.prompt is not None and console.prompt.startswith("+")


def of_processes(rules: BlockerRules) -> list[Blocker]:
    """Running processes that R has started."""
    started = started_processes() if rules.children else []
    forks = [str(each) for each in started if each.is_fork]
    others = [str(each) for each in started if not each.is_fork]
    blockers = []
    if others:
        blockers.append(Blocker("children", f"Processes started by R still run: {sentences.listing(others)}."))
    if forks:
        text = f"Parallel jobs in copies of R still run: {sentences.listing(forks)}."
        blockers.append(Blocker("forks", text))
    return blockers


async def of_r(jobs: "RJobs", rules: BlockerRules) -> list[Blocker]:
    """Connections and sinks."""
    found = json.loads(await jobs.call("workspace_blockers"))
    blockers = []
    if found["connections"] and rules.connections:
        names = sentences.listing(found["connections"])
        blockers.append(Blocker("connections", f"Connections are open: {names}."))
    if found["sinks"] or found["message_sink"]:
        blockers.append(Blocker("sink", "Output is being diverted by sink()."))
    return blockers


async def of_known_pointers(jobs: "RJobs", names: Sequence[str]) -> list[Blocker]:
    """Of the objects that held something outside of R when they were last written, those that still do."""
    return pointers(json.loads(await jobs.call("workspace_pointers_left", *names))) if names else []


async def of_known_failures(jobs: "RJobs", names: Sequence[str]) -> list[Blocker]:
    """Of the objects that R could not write when that was tried last, those that are still there."""
    return failed(json.loads(await jobs.call("workspace_unwritable_left", *names))) if names else []


def failed(names: Sequence[str]) -> list[Blocker]:
    """Objects that R could not write."""
    if not names:
        return []
    text = f"R cannot write these objects, they would be lost: {sentences.listing(names)}."
    return [Blocker("unwritable", text)]


def pointers(names: Sequence[str]) -> list[Blocker]:
    """Objects that hold something outside of R."""
    if not names:
        return []
    text = f"Objects connected to something outside of R would not come back whole: {sentences.listing(names)}."
    return [Blocker("external_pointers", text)]
