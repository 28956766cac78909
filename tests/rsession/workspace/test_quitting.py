"""q() and its question: what is saved, what is asked, what stays."""

import gzip
import json
from pathlib import Path
from unittest.mock import ANY

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import messages, store_of

pytestmark = pytest.mark.r
QUESTION = "Save workspace image? [y/n/c]: "


def ended(session: RunningSession, stream: EventStream, status: int = 0) -> None:
    assert stream.wait_for_type("quit")["data"] == {"status": status}
    assert session.process is not None
    assert session.process.wait(20) == status


def again(session: RunningSession) -> EventStream:
    session.launch()
    return ready(session)


def prefer(session: RunningSession, **preferences: object) -> None:
    folder = session.home / ".config" / "rstudio"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rstudio-prefs.json").write_text(json.dumps(preferences))


def ask(session: RunningSession, stream: EventStream) -> None:
    session.type("q()")
    question = stream.wait_for_type("quit_question")["data"]
    assert question == {"image": str(session.home / ".RData")}
    stream.wait_for_prompt(QUESTION)


def test_the_question_is_asked_once_and_answered_at_the_console() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "kept <- 42")
        ask(session, stream)
        session.type("maybe")
        stream.wait_for_prompt(QUESTION)
        session.type("c")
        stream.wait_for_prompt()
        assert evaluate(session, stream, "kept") == "[1] 42\n"
        ask(session, stream)
        session.type("y")
        ended(session, stream)
        assert evaluate(session, again(session), "kept") == "[1] 42\n"


def test_a_page_answers_and_others_come_too_late() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "kept <- 42")
        ask(session, stream)
        assert session.call("client_init")["quit_question"] == {"image": str(session.home / ".RData")}
        session.call("answer_quit_question", "cancel")
        stream.wait_for_type("quit_question_closed")
        assert session.rpc("answer_quit_question", "no")["error"]["code"] == 2
        stream.wait_for_prompt()
        assert session.call("client_init")["quit_question"] is None
        ask(session, stream)
        session.call("answer_quit_question", "no")
        ended(session, stream)
        assert not (session.home / ".RData").exists()
        assert not store_of(session).parent.exists()


def test_stop_at_the_question_means_cancel() -> None:
    with RunningSession() as session:
        stream = ready(session)
        ask(session, stream)
        session.call("interrupt")
        stream.wait_for_prompt()
        stream.wait_for_type("quit_question_closed")


@pytest.mark.parametrize(("wanted", "saved"), [("always", True), ("never", False)])
def test_the_user_s_preference_spares_the_question(wanted: str, saved: bool) -> None:
    with RunningSession(["--session-save-action-default=ask"]) as session:
        stream = ready(session)
        prefer(session, save_workspace=wanted)
        assert session.call("get_quit_state")["save"] == {"always": "yes", "never": "no"}[wanted]
        evaluate(session, stream, "kept <- 42")
        session.type("q()")
        ended(session, stream)
        assert (session.home / ".RData").exists() is saved


def test_an_administrator_s_default_holds_without_a_preference() -> None:
    with RunningSession(["--session-save-action-default=yes"]) as session:
        stream = ready(session)
        session.type("x <- 1; setwd(tempdir()); file.copy; q(); stop('never')")
        ended(session, stream)
        assert not (session.home / ".RData").exists()


def test_quit_as_the_user_wants_asks_back_when_that_is_a_question() -> None:
    with RunningSession() as session:
        stream = ready(session)
        image = str(session.home / ".RData")
        assert session.call("quit_session", "default") == {"ended": False, "question": {"image": image}}
        prefer(session, save_workspace="never")
        assert session.call("quit_session", "default") == {"ended": True}
        ended(session, stream)


def test_an_image_is_read_after_the_profile_and_before_first() -> None:
    with RunningSession() as session:
        stream = ready(session)
        (session.home / ".Rprofile").write_text(
            "profile <- exists('kept'); .First <- function() first <<- exists('kept')\n"
        )
        session.type("kept <- 42; q('yes')")
        ended(session, stream)
        stream = again(session)
        assert evaluate(session, stream, "c(profile, first, kept)") == "[1]  0  1 42\n"


def test_an_image_is_not_read_when_the_user_does_not_want_that() -> None:
    with RunningSession() as session:
        stream = ready(session)
        prefer(session, load_workspace=False)
        session.type("kept <- 42; q('yes')")
        ended(session, stream)
        assert evaluate(session, again(session), "exists('kept')") == "[1] FALSE\n"


def test_status_last_and_finalizers() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, ".Last <- function() cat('last\\n')")
        evaluate(session, stream, "reg.finalizer(e <- new.env(), function(e) cat('final\\n'), onexit = TRUE)")
        session.type("q('yes', status = 3)")
        ended(session, stream, 3)
        assert stream.text().endswith("last\nfinal\n")
        assert "R was quit with status 3." in session.stderr()
        assert (session.home / ".RData").exists()


def test_a_browser_is_no_place_to_quit_from_the_console_but_the_page_may() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("f <- function() { browser(); 1 }\nf()")
        stream.wait_for_prompt("Browse[1]> ")
        session.type("q('no')")
        stream.wait_for_prompt("Browse[1]> ")
        assert "cannot quit from browser" in stream.text("console_write_error")
        assert session.call("quit_session", "no") == {"ended": True}
        ended(session, stream)


def test_a_folder_that_cannot_be_written_keeps_the_session_and_says_why(tmp_path: Path) -> None:
    with RunningSession() as session:
        stream = ready(session)
        (session.home / ".RData").mkdir()
        (session.home / ".RData" / "full").touch()
        evaluate(session, stream, "kept <- 42")
        answer = session.rpc("quit_session", "yes")
        assert answer["error"]["code"] == 1003
        session.type("q('yes')")
        stream.wait_for_prompt()
        assert "R was not quit" in stream.text("console_write_error")
        assert any("R was not quit" in text for text in messages(stream))
        assert evaluate(session, stream, "kept") == "[1] 42\n"
        assert sorted(path.name for path in session.home.glob(".RData*")) == [".RData"]


def test_too_many_objects_are_not_written_into_a_file_that_r_cannot_read() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "for (i in 1:20000) assign(paste0('x', i), i); rm(i)")
        session.type("q('yes')")
        ended(session, stream)
        stream = again(session)
        assert evaluate(session, stream, "length(ls())") == "[1] 20000\n"
        evaluate(session, stream, "x0 <- 0; kept <- 42")
        assert "20002 objects" in session.rpc("quit_session", "yes")["error"]["message"]
        assert evaluate(session, stream, "kept") == "[1] 42\n"


def test_a_function_of_the_user_may_take_the_saving_over() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "sys.save.image <- function(name) cat(name, file = 'called')")
        session.type("q('yes')")
        ended(session, stream)
        assert (session.home / "called").read_text() == ".RData"
        assert not (session.home / ".RData").exists()


def test_a_question_of_last_is_told_to_who_wants_r_to_end() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, ".Last <- function() readline('Sure? ')")
        answer = session.rpc("quit_session")
        assert answer["error"] == {"code": 2, "message": ANY}
        assert "it asks at the console: Sure?" in answer["error"]["message"]
        session.type("yes")
        stream.wait_for_type("quit")
        assert session.process is not None
        assert session.process.wait(10) == 0


def test_a_last_that_fails_is_named_to_who_wants_r_to_end() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, ".Last <- function() stop('nope')")
        for save in ("no", "yes"):
            answer = session.call("quit_session", save)
            assert not answer["ended"]
            assert answer["reason"].startswith("R goes on, because .Last() failed: Error in .Last() : nope.")
        assert not (session.home / ".RData").exists()
        evaluate(session, stream, ".Last <- function() invokeRestart('abort')")
        assert session.call("quit_session", "no")["reason"] == "R was asked to end and goes on."
        assert evaluate(session, stream, "1") == "[1] 1\n"


@pytest.mark.parametrize("compress", ["TRUE", "FALSE", "'xz'"])
def test_an_image_that_was_cut_in_half_is_explained_and_set_aside(compress: str) -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, f"x <- runif(1e5); save.image(compress = {compress})")
        session.type("q('no')")
        stream.wait_for_type("quit")
        image = session.home / ".RData"
        half = image.read_bytes()[: image.stat().st_size // 2]
        image.write_bytes(half)
        session.launch()
        session.init()
        stream = session.events(0)
        told = stream.wait_for_type("show_message")["data"]
        assert told["text"].startswith(f"The saved workspace {image} could not be read")
        evaluate(session, stream, "y <- 1")
        assert session.call("quit_session", "yes") == {"ended": True}
        [aside] = session.home.glob(".RData.damaged-*")
        assert aside.read_bytes() == half
        assert evaluate(session, again(session), "ls()") == '[1] "y"\n'


@pytest.mark.parametrize("content", [b"this is no image", gzip.compress(b"RDX3\nX\n" + bytes(100))[:-20]])
def test_an_image_that_cannot_be_read_is_explained_and_kept(content: bytes) -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("q('no')")
        stream.wait_for_type("quit")
        (session.home / ".RData").write_bytes(content)
        session.launch()
        session.init()
        stream = session.events(0)
        stream.wait_for_prompt()
        told = stream.wait_for_type("show_message")["data"]
        assert told["text"].startswith(f"The saved workspace {session.home}/.RData could not be read")
        assert evaluate(session, stream, "1 + 1") == "[1] 2\n"
        assert (session.home / ".RData").read_bytes() == content
