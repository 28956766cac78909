"""Runs rserver-pam for the worker: fixed argv, checked name, a bound on how many at once and how long."""

import re
from collections import Counter
from typing import Any

from rserver.supervisor import installation
from rserver_core.launch_wire import BadRequest, user_of
from rserver_process.event_loop import Loop
from rserver_process.helper_job import HelperJob, JobLimits, JobResult
from rserver_process.requests import Done, refusal

MAX_JOBS = 16
MAX_JOBS_OF_USER = 2
MAX_PASSWORD_BYTES = 512
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{0,45}(%[A-Za-z0-9_.-]{1,15})?", re.ASCII)
LIMITS = JobLimits(seconds=60.0, output=4096)


class PasswordChecks:
    """Password checks in flight."""

    def __init__(self, loop: Loop, service: str) -> None:
        self._loop, self._service = loop, service
        self._running: Counter[str] = Counter()

    def check(self, message: dict[str, Any], done: Done) -> None:
        """done gets `exit` and `reason`, or an error `busy` or `timeout`. BadRequest before anything is started."""
        user, password, address = user_of(message), _password(message), _address(message)
        if self._running.total() >= MAX_JOBS or self._running[user] >= MAX_JOBS_OF_USER:
            done(refusal("busy", "too many password checks at once"))
            return
        self._running[user] += 1
        argv = [*installation.python(installation.PAM), user, self._service]
        HelperJob(
            self._loop,
            argv,
            password,
            lambda result: self._ended(user, result, done),
            env=installation.environment(PAM_RHOST=address),
            limits=LIMITS,
        )

    def _ended(self, user: str, result: JobResult, done: Done) -> None:
        self._running[user] -= 1
        self._running += Counter()
        if result.timed_out:
            done(refusal("timeout", f"PAM did not answer within {LIMITS.seconds:.0f} s"))
        elif result.code is None:
            done({"exit": 3, "reason": f"rserver-pam ended by signal {result.signal}"})
        else:
            done({"exit": result.code if result.code in range(5) else 3, "reason": result.stderr})


def _address(message: dict[str, Any]) -> str:
    address = message.get("address", "")
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise BadRequest("address is no IP address")
    return address


def _password(message: dict[str, Any]) -> bytes:
    password = message.get("password")
    if not isinstance(password, str):
        raise BadRequest("password is no text")
    content = password.encode("utf-8", "surrogatepass")
    # rserver-pam reads up to the end of the line: what follows one would not be checked.
    if len(content) > MAX_PASSWORD_BYTES or b"\n" in content or b"\0" in content:
        raise BadRequest(f"password has a line end or over {MAX_PASSWORD_BYTES} bytes")
    return content + b"\n"
