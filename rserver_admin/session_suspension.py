"""The verbs that suspend sessions: each is asked, and says what stands against it or ends."""

import os
import select
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from signal import SIGUSR1, SIGUSR2
from typing import Any

from rserver_admin.session_activity import blockers_of
from rserver_admin.session_call import NoAnswer, SessionError, call
from rserver_admin.session_signals import find, name_of, send
from rserver_admin.session_stat import is_starting, is_stopped
from rserver_admin.verb import EXIT_FAILED, Context, Result
from rserver_core.launch_wire import SessionRecord
from rserver_process.process_table import is_alive

_AT_ONCE = 32
_PING_SECONDS, _WRITE_SECONDS, _END_SECONDS = 5.0, 600.0, 10.0
_REASON = "The administrator suspended it."


@dataclass(frozen=True, slots=True)
class _Outcome:
    """kind: the list of the answer that it belongs to; text: what is said after the name of the session."""

    kind: str
    text: str
    more: dict[str, Any] = field(default_factory=dict)


def suspend(record: SessionRecord, force: bool) -> _Outcome:
    """Have one session suspend itself."""
    if is_starting(record):
        return _Outcome("starting", "is just starting: there is nothing to suspend yet")
    if is_stopped(record):
        return _failed(f"was stopped by a signal and hears nothing: kill -CONT {record.pid} lets it go on")
    try:
        call(record, "get_status", (), _PING_SECONDS)
    except SessionError:
        pass
    except NoAnswer as error:
        return _by_signal(record, force, str(error))
    return _ask(record, force)


def _ask(record: SessionRecord, force: bool) -> _Outcome:
    try:
        answer = call(record, "suspend_session", (force, _REASON), _WRITE_SECONDS)
        blockers = blockers_of(answer.get("blockers"))
        is_suspended = answer.get("suspended") is True
    except SessionError as error:
        return _failed(f"was not suspended: {_sentence(str(error))}{_way_out(record) if force else ''}")
    except (NoAnswer, ValueError) as error:
        if not is_alive(record.pid, record.pid_start):
            return _Outcome("suspended", "has ended")
        return _failed(f"did not say whether it is being suspended: {_sentence(str(error))}")
    if is_suspended:
        return _Outcome("suspended", "was suspended") if _has_ended(record) else _failed("is still ending")
    shown = [{"kind": kind, "reason": reason} for kind, reason in blockers]
    reasons = " ".join(reason for _, reason in blockers)
    return _Outcome("blocked", f"was not suspended: {reasons}", {"blockers": shown})


def _by_signal(record: SessionRecord, force: bool, why: str) -> _Outcome:
    if not send(record, SIGUSR2 if force else SIGUSR1):
        return _Outcome("suspended", "has ended by itself")
    return _failed(f"does not answer ({why}); it was sent {'SIGUSR2' if force else 'SIGUSR1'}{_way_out(record)}")


def _failed(text: str) -> _Outcome:
    return _Outcome("failed", text, {"reason": text})


def _way_out(record: SessionRecord) -> str:
    return f". To end it without saving: rstudio-server kill-session {record.pid}"


def _sentence(text: str) -> str:
    return text.rstrip(".") if text.isprintable() else "it said something that is no text"


def _has_ended(record: SessionRecord) -> bool:
    try:
        watch = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return True
    try:
        return not is_alive(record.pid, record.pid_start) or bool(select.select([watch], [], [], _END_SECONDS)[0])
    finally:
        os.close(watch)


def _one(force: bool, context: Context) -> Result:
    return _all(force, find(context))


def _every(force: bool, context: Context) -> Result:
    return _all(force, context.server.sessions())


def _all(force: bool, records: Sequence[SessionRecord]) -> Result:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        outcomes = list(threads.map(partial(suspend, force=force), records))
    data: dict[str, list[Any]] = {kind: [] for kind in ("suspended", "blocked", "failed", "starting")}
    for record, outcome in zip(records, outcomes, strict=True):
        row = {"pid": record.pid, "user": record.user, "session": record.session}
        data[outcome.kind].append(row | outcome.more)
    lines = [f"{name_of(record)} {outcome.text}" for record, outcome in zip(records, outcomes, strict=True)]
    code = 0 if len(data["suspended"]) == len(records) else EXIT_FAILED
    return Result("\n".join(lines) or "There are no active sessions.", data, code)


suspend_session, suspend_all = partial(_one, False), partial(_every, False)
force_suspend_session, force_suspend_all = partial(_one, True), partial(_every, True)
