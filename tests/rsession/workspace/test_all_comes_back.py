"""Row 48: each thing that a session is, set, suspended, and compared; the same when R is restarted or has crashed."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate
from tests.rsession.running import ready as ready_now
from tests.rsession.workspace.keeping import restored, suspend

pytestmark = pytest.mark.r

SET = """
x <- list(a = 1:3, f = function(y) y + 1)
options(digits = 4, my.option = list(1, "b"), warn = 1)
Sys.setenv(MY_VARIABLE = "an = ä", TZ = "Asia/Tokyo"); Sys.unsetenv("EDITOR")
library(splines); library(tools); invisible(loadNamespace("grid"))
attach(list(attached = 5), name = "my data")
dir.create("~/work", showWarnings = FALSE); setwd("~/work")
RNGkind("L'Ecuyer-CMRG", "Box-Muller", "Rejection"); set.seed(7); invisible(runif(3))
invisible(Sys.setlocale("LC_COLLATE", "C"))
plot(1:3); plot(3:1)
cat("shown before\\n")
"""
FACTS = {
    "objects": "x$f(sum(x$a))",
    "options": "c(getOption('digits'), getOption('my.option')[[2]], getOption('warn'))",
    "variables": "c(Sys.getenv('MY_VARIABLE'), Sys.getenv('EDITOR', NA))",
    "time zone": "format(as.POSIXct(0, origin = '1970-01-01'), '%H:%M %Z')",
    "search path": "search()",
    "namespaces": "'grid' %in% loadedNamespaces()",
    "attached data": "c(attached, environmentName(as.environment('my data')))",
    "working directory": "getwd()",
    "kind of random numbers": "RNGkind()",
    "next random numbers": "c(runif(1), rnorm(1))",
    "locale": "Sys.getlocale('LC_COLLATE')",
    "library paths": ".libPaths()",
}


def by_suspension(session: RunningSession, stream: EventStream) -> None:
    suspend(session, stream)


def by_restart(session: RunningSession, stream: EventStream) -> None:
    session.call("restart_session")
    session.process.wait(30)  # type: ignore[union-attr]


def by_crash(session: RunningSession, stream: EventStream) -> None:
    session.call("checkpoint_session")
    os.kill(session.pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [by_suspension, by_restart, by_crash])
def test_everything_comes_back(end: Callable[[RunningSession, EventStream], None]) -> None:
    with RunningSession(environment={"EDITOR": "ed"}) as session:
        stream = ready_now(session)
        session.call("set_plot_size", 400, 300, 1)
        evaluate(session, stream, "1 + 1")
        for line in SET.strip().splitlines():
            evaluate(session, stream, line)
        session.call("get_environment_state")  # jobs run in order: the look at the plots is over
        plots = len(session.call("get_plots")["plots"])
        seed = evaluate(session, stream, "seed <- .Random.seed; c(runif(1), rnorm(1))")
        before = {name: evaluate(session, stream, code) for name, code in FACTS.items() if "next" not in name}
        evaluate(session, stream, ".Random.seed <- seed; rm(seed)")
        end(session, stream)
        stream = restored(session)
        stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0)
        after = {name: evaluate(session, stream, code) for name, code in FACTS.items() if "next" not in name}
        assert after == before
        assert evaluate(session, stream, FACTS["next random numbers"]) == seed
        assert len(session.call("get_plots")["plots"]) == plots == 2
        assert evaluate(session, stream, "history(Inf)").startswith("1 + 1\nx <- list")
        shown = "".join(each["text"] for each in session.start["console"]["actions"])
        assert "shown before" in shown
