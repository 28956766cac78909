"""Runs rserver-acls for the worker: fixed argv, bounds on how many at once and how long, progress, cancelling."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from rserver.supervisor import installation
from rserver_core.frame import Message
from rserver_core.launch_wire import BadRequest
from rserver_core.user_name import is_user_name
from rserver_process.event_loop import Loop
from rserver_process.helper_job import HelperJob, JobLimits, JobResult
from rserver_process.log_line import log_line
from rserver_process.requests import Done, Operation, refusal

MAX_JOBS = 4
MAX_REQUEST_BYTES = 65536
MAX_LINE = 900_000
LIMITS = JobLimits(seconds=600.0, output=4096)
_UNCHANGED = "Every file is as it was or as it should become; it can be done again."


class AclChanges:
    """Runs under way, one of each owner."""

    def __init__(self, loop: Loop, state: str, minimum_uid: int, sharing_root: str) -> None:
        """state: the helper's directory; sharing_root: empty, or where projects can be shared besides in homes."""
        self._loop = loop
        self._argv = [
            *installation.python(installation.ACLS),
            f"--state={state}",
            f"--minimum-uid={minimum_uid}",
            f"--sharing-root={sharing_root}",
            "--progress",
        ]
        self._owners: dict[str, _Run] = {}
        self._runs: dict[int, _Run] = {}

    def operations(self, tell: Callable[[Message], None]) -> dict[str, Operation]:
        """The requests that one worker may send; tell gets events for it."""
        return {"acls": partial(self._begin, tell), "acls_cancel": self._cancel}

    def forget(self) -> None:
        """The worker is gone: what runs goes on to its end, and nobody is told."""
        for run in self._runs.values():
            run.be_silent()
        self._runs.clear()

    def _begin(self, tell: Callable[[Message], None], message: dict[str, Any], done: Done) -> None:
        owner, content = _checked(message.get("request"))
        run = _Run(message["id"], tell, content)
        before = self._owners.get(owner)
        if before and before.cancelled and not before.next:
            # It is ending; whoever stopped it may go on at once.
            before.next = lambda: self._start(owner, run, done)
        elif before or len(self._owners) >= MAX_JOBS:
            done(refusal("busy", "Access to projects is being changed already; try again in a moment."))
        else:
            self._start(owner, run, done)

    def _start(self, owner: str, run: "_Run", done: Done) -> None:
        self._owners[owner] = self._runs[run.number] = run
        run.begin(self._loop, self._argv, lambda answer: self._ended(owner, run, done, answer))

    def _ended(self, owner: str, run: "_Run", done: Done, answer: Message) -> None:
        del self._owners[owner]
        if self._runs.get(run.number) is run:
            del self._runs[run.number]
        done(answer)
        if run.next:
            run.next()

    def _cancel(self, message: dict[str, Any], done: Done) -> None:
        number = message.get("request")
        if isinstance(number, int) and (run := self._runs.get(number)):
            run.cancel()
        done({"ok": True})


class _Run:
    """One run: its lines become events, its last line the answer."""

    def __init__(self, number: int, tell: Callable[[Message], None], content: bytes) -> None:
        self.number, self._content = number, content
        self.cancelled = False
        self.next: Callable[[], None] | None = None
        self._tell: Callable[[Message], None] | None = tell
        self._line, self._answer = bytearray(), dict[str, Any]()
        self._job: HelperJob | None = None

    def begin(self, loop: Loop, argv: list[str], done: Done) -> None:
        self._done = done
        env = installation.environment()
        self._job = HelperJob(loop, argv, self._content, self._ended, env=env, limits=LIMITS, heard=self._heard)

    def cancel(self) -> None:
        self.cancelled = True
        if self._job:
            self._job.cancel()

    def be_silent(self) -> None:
        self._tell = None

    def _heard(self, data: bytes) -> None:
        *lines, rest = bytes(self._line + data).split(b"\n")
        for line in lines:
            self._take(line)
        self._line = bytearray(rest[:MAX_LINE])

    def _take(self, line: bytes) -> None:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict) and isinstance(progress := value.get("progress"), dict):
            if self._tell:
                fields = {"done": progress.get("done"), "expected": progress.get("expected")}
                self._tell({"event": "acls_progress", "request": self.number, **fields})
        elif isinstance(value, dict):
            self._answer = value

    def _ended(self, result: JobResult) -> None:
        answer = self._answer
        if answer.get("ok") is True and result.code == 0:
            self._done({"result": {name: value for name, value in answer.items() if name not in {"version", "ok"}}})
        elif isinstance(error := answer.get("error"), dict):
            self._done(refusal(str(error.get("code", "failed")), str(error.get("message", ""))))
        elif self.cancelled:
            self._done(refusal("cancelled", f"It was stopped. {_UNCHANGED}"))
        elif result.timed_out:
            self._done(refusal("timeout", f"It took longer than {LIMITS.seconds:.0f} s and was stopped. {_UNCHANGED}"))
        else:
            ending = f"exit code {result.code}" if result.code is not None else f"signal {result.signal}"
            log_line("master", f"rserver-acls ended by {ending}: {result.stderr or 'it said nothing'}")
            self._done(
                refusal("failed", f"The program that changes access ended before its work was done. {_UNCHANGED}")
            )


def _checked(request: object) -> tuple[str, bytes]:
    """The owner, who counts for the limits, and what the helper reads; it checks all the rest itself."""
    if not isinstance(request, dict) or not isinstance(owner := request.get("owner"), str) or not is_user_name(owner):
        raise BadRequest("request is no object with an owner")
    content = json.dumps({"version": 1, **request}).encode()
    if len(content) > MAX_REQUEST_BYTES:
        raise BadRequest(f"request is larger than {MAX_REQUEST_BYTES} bytes")
    return owner, content
