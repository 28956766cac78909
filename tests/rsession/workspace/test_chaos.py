"""Changes, checkpoints, suspensions and kills in random order: what was confirmed is never lost."""

import os
import random
import select
import signal

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import begin_checkpoint, restored, store_of, suspend

pytestmark = [pytest.mark.r, pytest.mark.slow]
ROUNDS = 40
NAMES = [f"v{i}" for i in range(12)]


class Model:
    """What the session's objects must be: numbers by name, as R holds them and as the store does."""

    def __init__(self, session: RunningSession, seed: int) -> None:
        self.session = session
        self.random = random.Random(seed)
        self.now: dict[str, int] = {}
        self.kept: list[dict[str, int]] = []
        """The states that a restart may find."""
        self.stream: EventStream = ready(session)

    def change(self) -> None:
        """Some objects get new values, some are removed; one environment is shared by functions that read them."""
        for name in self.random.sample(NAMES, 3):
            if name in self.now and self.random.random() < 0.2:
                del self.now[name]
                evaluate(self.session, self.stream, f"rm({name})")
            else:
                self.now[name] = self.random.randrange(10**6)
                length = self.random.choice([1, 10, 10**5, 10**6])
                value = f"v <- rep({self.now[name]}, {length}); list(function() v[{length}], environment())"
                evaluate(self.session, self.stream, f"{name} <- local({{{value}}})")

    def checkpoint(self) -> None:
        """Confirmed."""
        self.session.call("checkpoint_session")
        self.kept = [dict(self.now)]

    def suspend(self) -> None:
        """Confirmed, and at once another process."""
        suspend(self.session, self.stream)
        self.kept = [dict(self.now)]
        self.start()

    def kill(self) -> None:
        """While a checkpoint may be on its way."""
        if not self.kept:
            self.checkpoint()
        asking = begin_checkpoint(self.session) if self.random.random() < 0.7 else None
        if asking is not None:
            self.kept.append(dict(self.now))
            select.select([], [], [], self.random.random() * 0.2)
        assert self.session.process is not None
        os.kill(self.session.pid, signal.SIGKILL)
        self.session.process.wait(10)
        if asking is not None:
            asking.close()
        self.start()

    def start(self) -> None:
        """Another process finds one of the kept states."""
        self.stream = restored(self.session)
        if self.random.random() < 0.5:
            self.session.call("stop_loading")
        code = "cat(vapply(ls(), function(n) sprintf('%s=%d', n, get(n)[[1]]()), ''))"
        found = dict(pair.split("=") for pair in evaluate(self.session, self.stream, code).split())
        states = [{name: str(value) for name, value in state.items()} for state in self.kept]
        assert found in states
        self.now = {name: int(value) for name, value in found.items()}
        self.kept = [dict(self.now)]


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_confirmed_is_lost(seed: int) -> None:
    with RunningSession() as session:
        model = Model(session, seed)
        for _ in range(ROUNDS):
            model.change()
            model.random.choice([model.change, model.checkpoint, model.suspend, model.kill])()
        model.suspend()
        model.checkpoint()
        files = [path.name for path in store_of(session).iterdir()]
        assert not [name for name in files if name.endswith((".new", ".part"))]
