"""One run: sessions are made, waves go over them, everything is looked at, everything is ended."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.chaos import leftovers
from tests.chaos.disturbance import Disturber
from tests.chaos.door import Door, Interrupted, Refused
from tests.chaos.homes import Home, homes
from tests.chaos.inspection import inspect
from tests.chaos.life import LIFE, SETTLE_SECONDS, settled
from tests.chaos.operation import Kind, Operation, Wave, plan
from tests.chaos.session_model import SessionModel
from tests.chaos.use import USE, Violation, print_lines
from tests.chaos.versions import Versions
from tests.chaos.whole_server import WholeServer, wait_for, whole_server
from tests.system.visitor import Visitor

USERS = 3
_AT_ONCE = 4
_ROUND = 10
"""After so many waves every session is looked at."""
_END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What kind of run."""

    seed: int
    operations: int
    sessions: int
    seconds: float


@dataclass
class Run:
    """tell: is given lines for the one who watches."""

    wishes: Wishes
    server: WholeServer
    homes: Sequence[Home]
    tell: Callable[[str], None]
    models: list[SessionModel] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    done: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    _cookies: dict[int, dict[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def perform(self) -> None:
        """Everything; what was wrong is in `complaints`."""
        try:
            self._perform()
        except Exception as error:
            self.complain(None, f"the run broke off: {type(error).__name__}: {error}")

    def _perform(self) -> None:
        begun = time.monotonic()
        self._open()
        disturber = Disturber(self.server, self.homes, self.models)
        for wave in plan(self.wishes.seed, self.wishes.operations, self.wishes.sessions):
            if time.monotonic() - begun > self.wishes.seconds:
                self.complain(None, f"the time was over after {self.done} of {self.wishes.operations} operations")
                break
            self._surge(wave, disturber)
        self._inspect(self.models)
        self._end()

    def complain(self, model: SessionModel | None, text: str) -> None:
        """Something is wrong."""
        with self._lock:
            where = f"session {model.number} ({model.id})" if model else "run"
            self.complaints.append(f"{where}: {text}")
            self.tell(f"  WRONG {where}: {text}")
            if model:
                model.note(f"  WRONG {text}")

    # Sessions

    def _open(self) -> None:
        for number, home in enumerate(self.homes):
            visitor = Visitor(self.server.port)
            assert visitor.sign_in(home.owner.name, home.owner.password).status == 302
            self._cookies[number] = visitor.cookies
        numbers = range(self.wishes.sessions)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            self.models = list(threads.map(self._create, numbers))
        self._inspect(self.models)

    def _create(self, number: int) -> SessionModel:
        user = number % len(self.homes)
        visitor = Visitor(self.server.port, dict(self._cookies[user]))
        answer = visitor.post_json("/api/sessions", {"label": f"chaos {number}"})
        assert answer.status == 201, answer.body
        empty = {"opt": "", "env": "", "cwd": self.homes[user].path.name}
        return SessionModel(number, user, answer.json()["id"], answer.json()["url"], empty, Versions([empty]))

    def _door(self, model: SessionModel) -> Door:
        return Door(self.server.port, dict(self._cookies[model.user]), model.path)

    def _inspect(self, models: Sequence[SessionModel]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self._inspect_one, models))

    def _inspect_one(self, model: SessionModel) -> None:
        try:
            for complaint in inspect(model, self._door(model), self.homes[model.user]):
                self.complain(model, complaint)
        except (Violation, Interrupted, Refused, AssertionError) as error:
            self.complain(model, f"{type(error).__name__} while it was inspected: {error}")

    # Waves

    def _surge(self, wave: Wave, disturber: Disturber) -> None:
        disturbance = wave.disturbance
        self.tell(f"wave {wave.number}: {', '.join(map(_described, wave.operations))}")
        if disturbance:
            self.tell(f"  meanwhile {_described(disturbance)}")
            disturber.may_hurt(disturbance)
            for model in self.models:
                model.note(f"{disturbance.number} {disturbance.kind}")
        threads = [
            threading.Thread(target=self._operate, args=[operation, disturbance is None])
            for operation in wave.operations
        ]
        for thread in threads:
            thread.start()
        if disturbance:
            self._disturb(disturber, disturbance, threads)
        for thread in threads:
            thread.join()
        self.done += len(threads) + (disturbance is not None)
        touched = {operation.subject for operation in wave.operations}
        everyone = wave.number % _ROUND == 0 or (disturbance is not None and disturbance.kind is Kind.REBOOT)
        self._inspect([model for model in self.models if everyone or model.number in touched])

    def _disturb(self, disturber: Disturber, operation: Operation, threads: list[threading.Thread]) -> None:
        source = random.Random(~operation.draw)
        time.sleep(source.random() * 0.8)
        try:
            disturber.disturb(operation)
            if operation.kind in {Kind.DISK_FULL, Kind.NO_INODES, Kind.READ_ONLY}:
                for thread in threads:
                    thread.join(10)
            disturber.heal(operation)
        except AssertionError as error:
            self.complain(None, f"{operation.kind}: {error}")

    def _operate(self, operation: Operation, is_calm: bool) -> None:
        model = self.models[operation.subject]
        model.note(f"{operation.number} {operation.kind}")
        begun = time.monotonic()
        try:
            self._do(operation, model)
            outcome = "done"
        except (Interrupted, Refused) as error:
            outcome = f"interrupted: {error}"
            if is_calm and not (model.hurt or model.told):
                self.complain(model, f"{operation.kind} was interrupted by nothing: {error}")
        except (Violation, AssertionError) as error:
            outcome = f"wrong: {error}"
            self.complain(model, f"{operation.kind}: {error}")
        except Exception as error:
            outcome = f"broken: {type(error).__name__}: {error}"
            self.complain(model, f"{operation.kind}: {outcome}")
        model.note(f"  {outcome[:300]} ({time.monotonic() - begun:.1f} s)")
        with self._lock:
            key = f"{operation.kind}: {outcome.partition(':')[0]}"
            self.outcomes[key] = self.outcomes.get(key, 0) + 1

    def _do(self, operation: Operation, model: SessionModel) -> None:
        source, door = random.Random(operation.draw), self._door(model)
        if door.greet()["stream"] != model.stream:
            # What another process found comes before what is done to it.
            self._inspect_one(model)
            door.greet()
        if operation.kind in USE:
            USE[operation.kind](model, door, source)
        elif operation.kind in LIFE:
            LIFE[operation.kind](model, door, source)
        else:
            count = 1 if operation.kind is Kind.PRINT else source.randint(2, 4)
            doors = [door, *(self._door(model) for _ in range(count - 1))]
            for other in doors[1:]:
                other.greet()
            print_lines(model, doors, source)

    # The end

    def _end(self) -> None:
        # Sessions look for them some seconds after their start, and all were looked at just now.
        self._nothing_left("temporary folders", lambda: leftovers.orphans(self.homes))
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self._quit, self.models))
        running, homes = self.server.running, self.homes
        ids, uids = [model.id for model in self.models], [home.owner.uid for home in homes]
        self._nothing_left("processes", lambda: leftovers.processes(uids))
        self._nothing_left("control groups", lambda: leftovers.groups(ids))
        code = running.stop()
        if code:
            self.complain(None, f"the server ended with exit code {code}")
        self._nothing_left("files", lambda: leftovers.files(running.run_dir, running.lib_dir, homes))
        for text in leftovers.database(running.lib_dir) + leftovers.log_lines(running.log):
            self.complain(None, text)

    def _quit(self, model: SessionModel) -> None:
        door = self._door(model)
        try:
            door.rest("POST", "/quit", {})
            wait_for(lambda: settled(door)["state"] != "running", "it does not quit", SETTLE_SECONDS)
        except (Interrupted, Violation, AssertionError) as error:
            self.complain(model, f"quit at the end: {error}")

    def _nothing_left(self, what: str, find: Callable[[], list[str]]) -> None:
        try:
            wait_for(lambda: not find(), what, _END_SECONDS)
        except AssertionError:
            for text in find():
                self.complain(None, f"left over: {text}")


def carry_out(wishes: Wishes, tell: Callable[[str], None]) -> Run:
    """The run, after everything was put away."""
    with homes(min(USERS, wishes.sessions)) as made, whole_server() as server:
        run = Run(wishes, server, made, tell)
        run.perform()
    return run


def _described(operation: Operation) -> str:
    return f"{operation.number} {operation.kind} [{operation.subject}]"
