"""Vectors are changed in every way there is, and no snapshot may miss one: each is checked by one that reads all bytes.

Here a mistake would be the silent loss of data.
"""

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, store_of, suspend
from tests.rsession.workspace.manifest import large_chunks

pytestmark = [pytest.mark.r]
POKING = Path(__file__).with_name("poking.c")
NAMES = "abcdef"
POKES = ["poke", "poke_in_thread", "read_into", "give_back", "map_anew", "move_pages", "map_file"]
CHANGES = [
    "{x} <- rnorm({n})",
    "{x} <- numeric({n})",
    "{x} <- {y} + 0",
    "{x}[{i}] <- {v}",
    "{x}[{i}] <- {v}; {y}[{j}] <- {v}",
    "for (k in {i} + 1:500) {x}[k] <- k",
    "{x}[{i}:({i} + 5000)] <- rnorm(5001)",
    "{x} <- {y}",
    "{x} <- {y}; {x}[{i}] <- {v}",
    "swap <- {x}; {x} <- {y}; {y} <- swap; rm(swap)",
    "rm({x}); gc(); {x} <- rnorm({n})",
    "{x} <- sort({x})",
    "{x} <- rev({x})",
    "{x} <- {x} * 2",
    "length({x}) <- {n}; {x}[is.na({x})] <- 0",
    "{x}[length({x}) + 1:10] <- 1",
    "attr({x}, 'note') <- {v}",
    "{x} <- structure({x}, note = NULL); gc()",
    "m <- matrix(rnorm(360000), 600); m <- m %*% t(m)",
    "if (exists('m')) m[{k}, ] <- {v}",
    "l <- list({x}, list({y}, 1:10))",
    "if (exists('l')) l[[1]][{i}] <- {v}",
    "if (exists('l')) l[[2]][[1]][{i}] <- {v}",
    "box <- new.env(); box$inside <- rnorm({n}); box$self <- box",
    "if (exists('box')) box$inside[{i}] <- {v}",
    "columns <- data.frame(p = rnorm({n}), q = seq_len({n}))",
    "box$deep <- list({x}, data.frame(p = rnorm({n})))",
    "if (!is.null(box$deep)) box$deep[[1]][{i}] <- {v}",
    "if (!is.null(box$deep)) box$deep[[2]]$p[{i}] <- {v}",
    "box${x} <- {y}; local({{ h <- {x}; box$f <- function() h[{i}] }})",
    "if (exists('columns')) columns$p[{i}] <- {v}",
    "if (exists('columns')) columns$q[{i}] <- 5L",
    "for (k in 1:20) t <- numeric(20000 * k); rm(t); gc()",
    "invisible(parallel::mclapply(1:2, function(k) {{ {x}[{i}] <<- k; sum({x}) }}))",
    "r <- as.raw(sample(255, {n} * 4, TRUE)); r[{i}] <- as.raw(7)",
    "z <- complex(real = rnorm({n}), imaginary = 1); z[{i}] <- 0i",
    "compact <- seq_len({n} * 4)",
    "if (exists('compact')) compact[{i}] <- 3L",
    "writeBin(as.vector({x}), 'bytes'); {x} <- readBin('bytes', 'double', length({x}))",
    "serialised <- serialize({x}, NULL); {x} <- unserialize(serialised); rm(serialised)",
    *(f"invisible(.Call(P${poke}, {{x}}, {{i}}L))" for poke in POKES),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    path = tmp_path_factory.mktemp("poking") / "poking.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, POKING], check=True)
    return path


class Stress:
    """A session whose vectors change at random."""

    def __init__(self, session: RunningSession, library: Path, seed: int) -> None:
        self.session = session
        self.library = library
        self.random = random.Random(seed)
        self.unread = 0
        self.stream: EventStream = ready(session)
        self.run("; ".join(f"{name} <- rnorm(3e5)" for name in NAMES))
        self.run("box <- new.env()")

    def run(self, code: str) -> str:
        """Output; no error of R."""
        since = self.stream.position
        text = evaluate(self.session, self.stream, code)
        assert not self.stream.text("console_write_error", since), (
            code,
            self.stream.text("console_write_error", since),
        )
        return text

    def change(self) -> None:
        """One to three changes. The entry points are kept where the store does not look."""
        load = f"d <- dyn.load('{self.library}'); sapply({_strings(POKES)}, getNativeSymbolInfo, d, simplify = FALSE)"
        for _ in range(self.random.randint(1, 3)):
            numbers = {"n": self.random.choice([131072, 200000, 300000, 700000]), "k": self.random.randint(1, 600)}
            places = {
                "i": self.random.randint(1, 120000),
                "j": self.random.randint(1, 120000),
                "v": self.random.random(),
            }
            x, y = self.random.sample(NAMES, 2)
            change = self.random.choice(CHANGES).format(x=x, y=y, **numbers, **places)
            self.run(f"P <- local({{{load}}}); {change}; rm(P)")

    def check(self) -> None:
        """A checkpoint, perhaps in stages, then one that compares what is trusted with the bytes."""
        if self.random.random() < 0.5:
            self.run("Sys.setenv(RS_WORKSPACE_TRACKING = 'stages')")
        first = self.session.call("checkpoint_session")
        self.run("Sys.setenv(RS_WORKSPACE_TRACKING = 'verify')")
        chunks = large_chunks(store_of(self.session))
        self.session.call("checkpoint_session")
        self.run("Sys.unsetenv('RS_WORKSPACE_TRACKING')")
        self.unread += first["unread"]
        assert large_chunks(store_of(self.session)) <= chunks

    def restart(self, is_killed: bool) -> None:
        """Everything comes back in another process as it was."""
        self.run("saveRDS(mget(ls()), 'reference.rds', compress = FALSE)")
        self.check()
        if is_killed:
            os.kill(self.session.pid, signal.SIGKILL)
        else:
            suspend(self.session, self.stream)
        self.stream = restored(self.session)
        self.run("reference <- readRDS('reference.rds'); names <- setdiff(names(reference), 'box')")
        assert self.run("cat(identical(mget(names), reference[names]))").endswith("TRUE")
        self.run("fields <- setdiff(ls(reference$box), c('self', 'f'))")
        assert self.run("cat(identical(mget(fields, box), mget(fields, reference$box)))").endswith("TRUE")
        self.run("rm(reference, names, fields)")


def _strings(names: list[str]) -> str:
    return "c(" + ", ".join(f"'{name}'" for name in names) + ")"


def _stress(library: Path, seed: int, rounds: int) -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stress = Stress(session, library, seed)
        stress.check()
        if session.call("get_workspace_state")["untracked"]:
            pytest.skip("writes are not tracked here")
        for turn in range(rounds):
            stress.change()
            stress.check()
            if turn % 8 == 7:
                stress.restart(is_killed=stress.random.random() < 0.5)
        assert stress.unread > 0


def test_no_change_is_missed(library: Path) -> None:
    _stress(library, 1, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_no_change_is_missed_in_long(library: Path, seed: int) -> None:
    _stress(library, seed, 64)
