"""Large vectors inside environments come back one by one, and nobody can tell them from others."""

import os
import signal
import subprocess

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import restored, resume, store_of, suspend

pytestmark = [pytest.mark.r]
FIELDS = [
    "self$a <- rnorm(2e6)",
    "self$b <- matrix(seq_len(1e6) + 0L, 1000)",
    "d <- data.frame(u = rnorm(1e5), v = rep(TRUE, 1e5))",
    "self$parts <- list(x = complex(real = rnorm(1e5), imaginary = 1), d = d)",
]
FUNCTION = f"function() {{ {'; '.join(FIELDS)} }}"
PUBLIC = f"list(a = NULL, b = NULL, parts = NULL, small = 1:3, initialize = {FUNCTION})"
MAKE = [
    f"o <- R6::R6Class('Model', public = {PUBLIC})$new()",
    "f <- local({q <- rnorm(1e6); function() sum(q)})",
    "e <- new.env(); e$r <- as.raw(sample(255, 1e6, TRUE))",
    "all <- function() list(o$a, o$b, o$parts, o$small, f(), e$r)",
    "saveRDS(all(), 'all.rds')",
]
IS_SAME = "identical(readRDS('all.rds'), all())"
MEMORY = "cat(gc()[2, 2])"


def _with_model(session: RunningSession) -> EventStream:
    stream = ready(session)
    evaluate(session, stream, "; ".join(MAKE))
    suspend(session, stream)
    stream = restored(session)
    session.call("stop_loading")
    return stream


def test_a_field_is_read_when_it_is_touched() -> None:
    with RunningSession() as session:
        stream = _with_model(session)
        assert evaluate(session, stream, "o$small") == "[1] 1 2 3\n"
        before = float(evaluate(session, stream, MEMORY))
        assert evaluate(session, stream, "length(o$a); dim(o$b); class(o$parts$d)").split() == (
            ["[1]", "2000000", "[1]", "1000", "1000", "[1]", '"data.frame"']
        )
        assert float(evaluate(session, stream, MEMORY)) < before + 2
        evaluate(session, stream, "s <- sum(o$b)")
        assert before + 3 < float(evaluate(session, stream, MEMORY)) < before + 6
        assert evaluate(session, stream, IS_SAME) == "[1] TRUE\n"


def test_what_the_user_saves_is_whole_elsewhere() -> None:
    with RunningSession() as session:
        stream = _with_model(session)
        evaluate(session, stream, "saveRDS(o$.__enclos_env__, 'model.rds'); saveRDS(e, 'e.rds')")
        code = "e <- readRDS('e.rds')$r; m <- readRDS('model.rds')$self; a <- readRDS('all.rds'); "
        code += "cat(identical(e, a[[6]]), identical(list(m$a, m$b, m$parts), a[1:3]))"
        told = subprocess.run(["Rscript", "-e", code], cwd=session.home, capture_output=True, check=True)
        assert told.stdout == b"TRUE TRUE"


@pytest.mark.parametrize("is_killed", [False, True])
def test_unread_vectors_are_kept_by_the_next_snapshots(is_killed: bool) -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = _with_model(session)
        evaluate(session, stream, "y <- o$a; o$small <- 1:3; lst <- list(e, o$parts)")
        for _ in range(2):
            assert session.call("checkpoint_session")["written"] < 65536
            if is_killed:
                os.kill(session.pid, signal.SIGKILL)
            else:
                suspend(session, stream)
            stream = restored(session)
            session.call("stop_loading")
        assert evaluate(session, stream, f"identical(y, o$a); identical(lst[[1]], e); {IS_SAME}") == "[1] TRUE\n" * 3


def test_a_vector_that_only_foreign_code_holds_can_still_be_read() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = _with_model(session)
        hide = "registerS3method('print', 'kept', local({k <- o$a; function(x) k}))"
        evaluate(session, stream, f"{hide}; rm(o, f, e)")
        for _ in range(2):
            session.call("checkpoint_session")
        kept = "environment(getS3method('print', 'kept'))$k"
        assert evaluate(session, stream, f"identical({kept}, readRDS('all.rds')[[1]])") == "[1] TRUE\n"


def test_a_change_of_one_leaves_the_others_unread() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = _with_model(session)
        evaluate(session, stream, "o$b[1, 1] <- 7L; r <- readRDS('all.rds'); r[[2]][1, 1] <- 7L; saveRDS(r, 'all.rds')")
        evaluate(session, stream, "rm(r)")
        assert session.call("checkpoint_session")["written"] < 5 << 20
        stream = resume(session, stream)
        assert evaluate(session, stream, IS_SAME) == "[1] TRUE\n"


def test_the_rest_is_read_in_the_background() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "; ".join(MAKE))
        stream = resume(session, stream)
        stream.wait_for(lambda event: event["type"] == "workspace_progress" and event["data"]["left"] == 0)
        for pack in store_of(session).glob("pack-*"):
            pack.unlink()
        assert evaluate(session, stream, IS_SAME) == "[1] TRUE\n"


def test_damage_is_an_error_of_the_one_vector() -> None:
    with RunningSession(["--session-checkpoint-minutes=0"]) as session:
        stream = _with_model(session)
        evaluate(session, stream, "o$small; s <- o$b[1]")
        for pack in store_of(session).glob("pack-*"):
            pack.rename(pack.with_name("away"))
        evaluate(session, stream, "sum(o$a)")
        assert "a vector inside it could not be read" in stream.text("console_write_error")
        assert evaluate(session, stream, "o$small; o$b[1]") == "[1] 1 2 3\n[1] 1\n"
        assert evaluate(session, stream, "w <- numeric(3e7); rm(w); x <- gc()[2, 2] < 150; x") == "[1] TRUE\n"
