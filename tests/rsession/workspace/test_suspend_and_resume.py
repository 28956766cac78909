"""A session is suspended and comes back in another process."""

import os
import signal
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest

from tests.rsession.running import RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import begin_suspension, messages, restored, resume, store_of, suspend

pytestmark = pytest.mark.r


@pytest.fixture
def session() -> Iterator[RunningSession]:
    with RunningSession() as session:
        yield session


def test_objects_come_back_as_they_were(session: RunningSession) -> None:
    stream = ready(session)
    make = """
    options(keep.source = FALSE); kept <- list(NULL, TRUE, NA_integer_, 1:3, 2.5, 1i, "é", as.raw(1))
    kept <- c(kept, list(quote(a + b), expression(x, y)))
    kept <- c(kept, list(factor(c("u", "v")),
      data.frame(a = 1:2, b = c("x", NA)), structure(1, class = "k"), Sys.Date(), matrix(1:4, 2), y ~ x, numeric(0)))
    compact <- 1:1e9
    long <- as.double(1:400000); strings <- as.character(1:200000)
    latin <- `Encoding<-`("\\xe9", "latin1"); bytes <- `Encoding<-`("\\xff", "bytes")
    setClass("P", representation(x = "numeric")); s4 <- new("P", x = 1)
    saveRDS(list(kept, long, strings, latin, bytes, s4@x), "before.rds")
    """
    evaluate(session, stream, f"{{{make}}}")
    stream = resume(session, stream)
    same = "identical(list(kept, long, strings, latin, bytes, s4@x), readRDS('before.rds'))"
    assert evaluate(session, stream, same) == "[1] TRUE\n"
    assert evaluate(session, stream, "cat(Encoding(latin), Encoding(bytes), is(s4, 'P'))") == "latin1 bytes TRUE"
    assert evaluate(session, stream, "length(compact)") == "[1] 1000000000\n"
    assert sum(path.stat().st_size for path in store_of(session).iterdir()) < 10_000_000


def test_environments_stay_shared(session: RunningSession) -> None:
    stream = ready(session)
    make = """
    counter <- local({n <- 0; list(add = function() n <<- n + 1, get = function() n)})
    add <- counter$add; get_n <- counter$get; add()
    e <- new.env(); e$self <- e; attr(e, "class") <- "thing"; holder <- list(e, e); deep <- NULL
    for (i in 1:20000) {new <- new.env(parent = emptyenv()); new$following <- deep; deep <- new}
    """
    evaluate(session, stream, f"{{{make}}}")
    stream = resume(session, stream)
    assert evaluate(session, stream, "add(); add(); get_n(); counter$get()") == "[1] 3\n[1] 3\n"
    told = (
        "c(identical(environment(add), environment(get_n)), identical(holder[[1]], e), identical(e$self, e), class(e))"
    )
    assert evaluate(session, stream, told) == '[1] "TRUE"  "TRUE"  "TRUE"  "thing"\n'
    assert (
        evaluate(session, stream, "n <- 0; while (!is.null(deep)) {n <- n + 1; deep <- deep$following}; n")
        == "[1] 20000\n"
    )
    stream = resume(session, stream)
    assert evaluate(session, stream, "add(); counter$get()") == "[1] 4\n"


def test_promises_active_bindings_locks_and_debug_flags(session: RunningSession) -> None:
    stream = ready(session)
    make = """
    delayedAssign("late", {cat("evaluated\\n"); 7})
    makeActiveBinding("now", function() {calls <<- calls + 1; 5}, globalenv()); calls <- 0
    fixed <- 1; lockBinding("fixed", globalenv()); e <- new.env(); e$a <- 1; lockEnvironment(e, bindings = TRUE)
    f <- function() 1; debug(f)
    """
    evaluate(session, stream, f"{{{make}}}")
    stream = resume(session, stream)
    assert evaluate(session, stream, "calls") == "[1] 0\n"
    assert evaluate(session, stream, "late") == "evaluated\n[1] 7\n"
    assert evaluate(session, stream, "now; now; calls") == "[1] 5\n[1] 5\n[1] 2\n"
    assert evaluate(session, stream, "bindingIsLocked('fixed', globalenv()); isdebugged(f)") == "[1] TRUE\n[1] TRUE\n"
    assert evaluate(session, stream, "environmentIsLocked(e) && bindingIsLocked('a', e)") == "[1] TRUE\n"


def test_the_session_around_the_objects_comes_back(session: RunningSession) -> None:
    stream = ready(session)
    folder = session.home / "work"
    folder.mkdir()
    make = f"""
    library(splines); attach(list(tied = 3), name = "ties"); library(grid); loadNamespace("stats4")
    options(digits = 4, my.own = list(1)); Sys.setenv(FLAVOUR = "sour", TZ = "Asia/Tokyo"); setwd("{folder}")
    RNGkind("Wichmann-Hill"); set.seed(7); first <- runif(2)
    following <- {{old <- .Random.seed; x <- runif(1); .Random.seed <- old; x}}
    cat(search(), file = "search.txt")
    """
    evaluate(session, stream, f"{{{make}}}")
    stream = resume(session, stream)
    assert session.start["console"]["actions"][0]["type"] == "output"
    assert any("library(splines)" in action["text"] for action in session.start["console"]["actions"])
    assert evaluate(session, stream, "cat(search() == scan('search.txt', '', quiet = TRUE))").strip("TRUE ") == ""
    told = "cat(tied, getOption('digits'), options()$my.own[[1]], Sys.getenv('FLAVOUR'), Sys.timezone())"
    assert evaluate(session, stream, told) == "3 4 1 sour Asia/Tokyo"
    assert evaluate(session, stream, "cat(basename(getwd()))") == "work"
    assert evaluate(session, stream, "RNGkind()[1]; runif(1) == following") == '[1] "Wichmann-Hill"\n[1] TRUE\n'
    stream.wait_for(lambda e: e["type"] == "workspace_progress" and e["data"]["left"] == 0)
    assert evaluate(session, stream, "'stats4' %in% loadedNamespaces()") == "[1] TRUE\n"
    assert evaluate(session, stream, "'ties' %in% search() && exists('tied')") == "[1] TRUE\n"


def test_the_list_of_objects_needs_none_of_them(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "big <- as.double(1:1e6); delayedAssign('own', stop('must not run'))")
    suspend(session, stream)
    restored(session)
    session.call("stop_loading")
    objects = {entry["name"]: entry for entry in session.call("get_environment_state")["objects"]}
    assert objects["own"]["kind"] == "promise"
    assert objects["big"]["summary"].startswith("num [1:1000000] 1 2 3")
    assert objects["big"]["type"] == "double"


def test_a_second_suspension_writes_only_what_changed(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(
        session, stream, "set.seed(1); a <- runif(1e6); b <- runif(1e6); l <- lapply(1:200, function(i) runif(50))"
    )
    first = suspend(session, stream)
    assert first["written"] > 12_000_000
    stream = restored(session)
    untouched = suspend(session, stream)
    assert untouched["written"] < 20_000
    assert untouched["bytes"] >= 0
    stream = restored(session)
    evaluate(session, stream, "a[5e5] <- 0; kept <- sum(b)")
    assert 800_000 <= suspend(session, stream)["written"] < 2_500_000
    stream = restored(session)
    assert evaluate(session, stream, "a[5e5]; kept == sum(b); length(l)") == "[1] 0\n[1] TRUE\n[1] 200\n"


def test_objects_that_are_not_loaded_can_be_removed_replaced_and_saved(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(
        session, stream, "a <- as.double(1:3e5); b <- a + 1; c <- b + 1; e <- new.env(); f <- function() e; e$x <- 1"
    )
    suspend(session, stream)
    stream = restored(session)
    session.call("stop_loading")
    evaluate(session, stream, "rm(a); b <- 2; save.image('all.RData'); rm(list = ls()); load('all.RData')")
    assert (
        evaluate(session, stream, "exists('a'); b; sum(c); identical(f(), e)")
        == "[1] FALSE\n[1] 2\n[1] 45000750000\n[1] TRUE\n"
    )
    stream = resume(session, stream)
    assert evaluate(session, stream, "exists('a'); b; length(c)") == "[1] FALSE\n[1] 2\n[1] 300000\n"


def test_an_environment_of_unloaded_and_loaded_objects_stays_one(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "e <- new.env(); e$n <- 1; one <- list(e); two <- list(e)")
    suspend(session, stream)
    stream = restored(session)
    session.call("stop_loading")
    evaluate(session, stream, "one[[1]]$n <- 2; rm(e)")
    stream = resume(session, stream)
    session.call("stop_loading")
    assert evaluate(session, stream, "two[[1]]$n; identical(one[[1]], two[[1]])") == "[1] 2\n[1] TRUE\n"


def test_plots_come_back(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "plot(1:3); plot(3:1)")
    if not any(event["type"] == "plots_changed" and len(event["data"]["plots"]) == 2 for event in stream.seen):
        stream.wait_for(lambda event: event["type"] == "plots_changed" and len(event["data"]["plots"]) == 2)
    stream = resume(session, stream)
    plots = session.call("get_plots")["plots"]
    assert len(plots) == 2
    for plot in plots:
        answer = session.http("GET", f"/graphics/{plot['id']}.png?width=400&height=300&dpr=1")
        assert answer.status == 200
        assert answer.read().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("con <- file('x', 'w')", "connections"),
        ("sink(tempfile())", "sink"),
        ("child <- parallel::mcparallel(Sys.sleep(60))", "forks"),
        ("system('sleep 60', wait = FALSE)", "children"),
        ("deep <- NULL; for (i in 1:100000) deep <- list(deep)", "unwritable"),
        ("pointer <- unclass(getLoadedDLLs()[['stats']])$handle", "external_pointers"),
    ],
)
def test_what_stands_against_is_named_and_overridden(session: RunningSession, code: str, kind: str) -> None:
    stream = ready(session)
    evaluate(session, stream, f"x <- 1; {code}")
    answer = session.call("suspend_session")
    assert not answer["suspended"]
    assert kind in [blocker["kind"] for blocker in answer["blockers"]]
    session.type("x")
    stream.wait_for_prompt()
    suspend(session, stream, force=True)
    assert evaluate(session, restored(session), "x") == "[1] 1\n"


def test_what_r_could_not_write_is_named_until_it_is_gone(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "deep <- NULL; for (i in 1:100000) deep <- list(deep)")
    assert session.call("get_status")["blockers"] == []
    session.call("suspend_session")
    (blocker,) = session.call("get_status")["blockers"]
    assert (blocker["kind"], "deep" in blocker["reason"]) == ("unwritable", True)
    evaluate(session, stream, "deep <- 1")
    assert session.call("get_status")["blockers"] == []
    suspend(session, stream)
    assert evaluate(session, restored(session), "deep") == "[1] 1\n"


def test_a_busy_session_is_suspended_by_force_alone(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1")
    session.type("cat('begun\\n'); x <- 2; repeat Sys.sleep(1)")
    stream.wait_for(lambda event: event["data"].get("text") == "begun\n")
    assert [blocker["kind"] for blocker in session.call("suspend_session")["blockers"]] == ["busy"]
    suspend(session, stream, force=True)
    assert evaluate(session, restored(session), "x") == "[1] 2\n"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_signals_suspend(session: RunningSession, number: signal.Signals) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1")
    os.kill(session.pid, number)
    assert session.process is not None
    assert session.process.wait(20) == 101
    assert evaluate(session, restored(session), "x") == "[1] 1\n"


def test_a_session_that_was_quit_leaves_nothing(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "x <- 1; plot(1)")
    session.call("checkpoint_session")
    session.type("q('no')")
    stream.wait_for_type("quit")
    assert session.process is not None
    assert session.process.wait(10) == 0
    assert not store_of(session).parent.exists()
    session.launch()
    assert evaluate(session, ready(session), "exists('x')") == "[1] FALSE\n"


def test_without_restoring_the_objects_are_set_aside() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 1")
        suspend(session, stream)
        session._arguments = ["--r-restore-workspace=0"]
        session.launch()
        session.init()
        stream = session.events(0)
        stream.wait_for_prompt()
        assert evaluate(session, stream, "exists('x')") == "[1] FALSE\n"
        aside = [path for path in store_of(session).parent.iterdir() if ".not-restored-" in path.name]
        assert len(aside) == 1
        assert (aside[0] / "manifest").exists()
        (told,) = [text for text in messages(stream) if "were not restored" in text]
        assert f"They are kept in {aside[0]}. To have them back, choose Session → Take back" in told
        # What the sentence advises does it.
        session._arguments = []
        session.type("q('no')")
        assert session.process is not None
        assert session.process.wait(10) == 0
        aside[0].rename(store_of(session))
        session.launch()
        assert evaluate(session, ready(session), "x") == "[1] 1\n"


def answers_until_the_end(session: RunningSession, code: str) -> list[dict[str, Any]]:
    """What the session answers to a line of input, sent again and again until nobody answers."""
    answers: list[dict[str, Any]] = []
    while True:
        try:
            answers.append(session.rpc("console_input", code, "test"))
        except (OSError, HTTPException):
            return answers


def test_a_line_that_comes_during_a_suspension_is_refused_to_the_last_moment(session: RunningSession) -> None:
    stream = ready(session)
    evaluate(session, stream, "n <- 0; x <- runif(3e7)")
    asking = begin_suspension(session)
    stream.wait_for_type("session_suspending")
    answers = answers_until_the_end(session, "n <- n + 1")
    asking.close()
    assert answers
    assert all(answer.get("error", {}).get("code") == 2 for answer in answers), answers
    assert evaluate(session, restored(session), "n") == "[1] 0\n"
