"""Stand-ins for the worker's neighbours, named by what they do."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rserver.master_client import MasterError
from rserver.worker_threads import WorkerThreads
from rserver_core.frame import Message
from rserver_core.launch_wire import SessionRecord

T = TypeVar("T")


class ThreadsAtOnce(WorkerThreads):
    """Makes every call at once, on the calling thread."""

    def __init__(self) -> None:
        super().__init__(self, "at once")  # type: ignore[arg-type]

    def run(self, call: Callable[[], T]) -> "Deferred[T]":
        try:
            return succeed(call())
        except Exception as error:
            return fail(error)

    def stop(self) -> None:
        pass


class HungThreads(ThreadsAtOnce):
    """A name service that never answers."""

    def run(self, call: Callable[[], T]) -> "Deferred[T]":
        return Deferred()


class FakeMaster:
    """Records requests; answers them when the test says so, or by `answers[op]`."""

    def __init__(self, **answers: Callable[[Message], Message | Exception]) -> None:
        self.answers = answers
        self.requests: list[Message] = []
        self.open: list[tuple[Message, Deferred[Message]]] = []

    def request(self, op: str, **fields: Any) -> "Deferred[Message]":
        message = {"op": op, **fields}
        self.requests.append(message)
        if op in self.answers:
            answer = self.answers[op](message)
            return fail(answer) if isinstance(answer, Exception) else succeed(answer)
        waiting: Deferred[Message] = Deferred()
        self.open.append((message, waiting))
        return waiting

    def acls(
        self,
        action: str,
        project_dir: str,
        owner: str,
        members: Sequence[str],
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> "Deferred[Message]":
        return self.request("acls", action=action, project_dir=project_dir, owner=owner, members=list(members))

    def answer(self, op: str, answer: Message | MasterError) -> Message:
        """Answer the oldest open request of this kind; returns the request."""
        for index, (message, waiting) in enumerate(self.open):
            if message["op"] == op:
                del self.open[index]
                if isinstance(answer, MasterError):
                    waiting.errback(answer)
                else:
                    waiting.callback(answer)
                return message
        raise AssertionError(f"no open {op}: {self.open}")

    def asked(self, op: str) -> list[Message]:
        """All requests of this kind."""
        return [message for message in self.requests if message["op"] == op]


class SlowPam:
    """A PAM stack: passwords by user; seconds an answer takes by user; refusals take `failure_delay` longer."""

    def __init__(self, clock: Clock, passwords: dict[str, str], failure_delay: float = 0.0) -> None:
        self.clock, self.passwords, self.failure_delay = clock, passwords, failure_delay
        self.seconds: dict[str, float] = {}
        self.exits: dict[str, int] = {}
        self.running = 0
        self.most_running = 0
        self.asked: list[str] = []

    def request(self, op: str, **fields: str) -> "Deferred[Message]":
        assert op == "check_password"
        user = fields["user"]
        right = fields["password"] == self.passwords.get(user)
        code = self.exits.get(user, 0) if right else 1
        self.asked.append(user)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        answer: Deferred[Message] = Deferred()
        seconds = self.seconds.get(user, 0.06) + (self.failure_delay if code else 0.0)
        self.clock.callLater(seconds, self._answer, answer, code)
        return answer

    def _answer(self, answer: "Deferred[Message]", code: int) -> None:
        self.running -= 1
        answer.callback({"exit": code, "reason": f"exit {code}"})


def record(session: str, user: str = "alice", uid: int = 1001, pid: int = 100) -> SessionRecord:
    """A session that runs."""
    return SessionRecord(session, user, uid, uid, pid, pid - 1, 1e9, 1, 1, f"/run/x/{session}.sock")
