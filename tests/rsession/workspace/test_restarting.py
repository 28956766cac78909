"""Restart R, with and without its objects; what is offered after a crash."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.rsession.running import EventStream, RunningSession, evaluate, ready
from tests.rsession.workspace.keeping import messages, restored, store_of, suspend

pytestmark = pytest.mark.r


def restart(session: RunningSession, stream: EventStream, method: str = "restart_session", *params: object) -> None:
    assert session.call(method, *params) == {"restarting": True, "blockers": []}
    assert stream.wait_for_type("quit")["data"] == {"status": 102}
    assert session.process is not None
    assert session.process.wait(20) == 102


def again(session: RunningSession) -> EventStream:
    session.launch()
    return ready(session)


def crashed(session: RunningSession, stream: EventStream) -> EventStream:
    session.call("checkpoint_session")
    os.kill(session.pid, signal.SIGKILL)
    return restored(session)


def offer(session: RunningSession) -> Any:
    return session.call("client_init")["recovered"]


def test_objects_come_back_and_the_command_runs() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "library(splines); x <- 42; setwd('/'); cat('shown before\\n')")
        restart(session, stream, "restart_session", True, "x + 1")
        session.launch()
        session.init()
        stream = session.events(0)
        stream.wait_for(lambda event: event["data"].get("text") == "> x + 1\n")
        stream.wait_for_prompt()
        assert stream.text().endswith("[1] 43\n")
        assert evaluate(session, stream, "c(getwd(), 'package:splines' %in% search())") == '[1] "/"    "TRUE"\n'
        assert "shown before" in "".join(each["text"] for each in session.start["console"]["actions"])
        assert offer(session) is None
        stream = crashed(session, stream)
        assert "x + 1" not in stream.text("console_write_input")


def test_packages_that_are_only_loaded_are_there_for_the_first_line() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "b <- splines::bs(1:10); told <- dim(predict(b, 3)); told")
        restart(session, stream, "restart_session", True, "dim(predict(b, 3))")
        session.launch()
        session.init()
        stream = session.events(0)
        stream.wait_for(lambda event: event["data"].get("text") == "> dim(predict(b, 3))\n")
        stream.wait_for_prompt()
        assert stream.text().endswith("[1] 1 3\n")


def test_packages_that_are_only_loaded_outlive_a_quick_second_suspension() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "requireNamespace('parallel'); requireNamespace('tcltk'); b <- splines::bs(1:10)")
        suspend(session, stream)
        for _ in range(3):
            session.launch()
            session.init()
            assert session.call("suspend_session", True)["suspended"]
            assert session.process is not None
            assert session.process.wait(20) == 101
        stream = restored(session)
        loaded = "all(c('parallel', 'tcltk', 'splines') %in% loadedNamespaces())"
        assert evaluate(session, stream, loaded) == "[1] TRUE\n"


def test_a_slow_package_is_told_of_while_lines_wait_for_it(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    profile = tmp_path / "Rprofile.site"
    profile.write_text(
        f"setHook(packageEvent('splines', 'onLoad'), function(...) while (!file.exists('{go_on}')) Sys.sleep(0.05))\n"
    )
    go_on.touch()
    with RunningSession(environment={"R_PROFILE": str(profile)}) as session:
        stream = ready(session)
        evaluate(session, stream, "invisible(loadNamespace('splines'))")
        suspend(session, stream)
        go_on.unlink()
        stream = restored(session)
        session.type(f"cat('ran', file.exists('{go_on}'), '\\n')")
        stream.wait_for(lambda event: "again. What is typed runs when that is done" in event["data"].get("text", ""))
        go_on.touch()
        stream.wait_for(lambda event: event["data"].get("text") == "ran TRUE \n")


def test_objects_are_left_behind_and_all_else_stays() -> None:
    with RunningSession() as session:
        stream = ready(session)
        (session.home / ".Rprofile").write_text("profile <- TRUE\n")
        evaluate(session, stream, "kept <- 1; save.image(); setwd('/tmp'); x <- 42; cat('shown before\\n')")
        session.call("checkpoint_session")
        document = session.call("new_document", "r", "a text")["id"]
        restart(session, stream, "restart_session", False)
        stream = again(session)
        assert evaluate(session, stream, "c(exists('x'), exists('kept'), profile)") == "[1] FALSE FALSE  TRUE\n"
        assert evaluate(session, stream, "getwd()") == '[1] "/tmp"\n'
        assert "shown before" in "".join(each["text"] for each in session.start["console"]["actions"])
        assert [each["id"] for each in session.start["documents"]] == [document]
        assert evaluate(session, stream, "history(1)").startswith("getwd()\nhistory(1)\n")
        assert not list(store_of(session).parent.glob("*.not-restored-*"))
        evaluate(session, stream, "y <- 7")
        stream = crashed(session, stream)
        assert evaluate(session, stream, "c(exists('x'), y)") == "[1] 0 7\n"


def test_what_stands_against_it_is_named_and_may_be_overridden() -> None:
    with RunningSession() as session:
        stream = ready(session)
        session.type("Sys.sleep(100)")
        stream.wait_for_type("busy")
        for keep in (True, False):
            answer = session.call("restart_session", keep)
            assert not answer["restarting"]
            assert [each["kind"] for each in answer["blockers"]] == ["busy"]
        assert not (store_of(session).parent / "restart").exists()
        session.call("restart_session", True, "", True)
        assert session.process is not None
        assert session.process.wait(20) == 102


def test_objects_that_cannot_be_written_keep_the_session() -> None:
    with RunningSession(["--session-workspace-limit-mb=1"]) as session:
        stream = ready(session)
        evaluate(session, stream, "big <- runif(1e6); x <- 1")
        for method, params in (("restart_session", [True, "stop()"]), ("discard_restored", [])):
            answer = session.rpc(method, *params)
            assert answer["error"]["code"] == 1003
            assert not (store_of(session).parent / "restart").exists()
        assert evaluate(session, stream, "x + length(big)") == "[1] 1000001\n"


def test_after_a_crash_the_objects_are_offered_until_somebody_decides() -> None:
    end = json.dumps({"at": 1_700_000_000, "cause": "R had enough."})
    with RunningSession(environment={"RS_LAST_END": end}) as session:
        stream = ready(session)
        assert offer(session) is None
        evaluate(session, stream, "x <- 42")
        stream = crashed(session, stream)
        told = stream.wait_for_type("workspace_recovered")["data"]
        assert told.items() >= {"objects": 1, "ended": 1_700_000_000, "cause": "R had enough."}.items()
        assert offer(session) == told
        session.call("keep_restored")
        stream.wait_for_type("recovery_decided")
        assert offer(session) is None
        stream = crashed(session, stream)
        assert offer(session) is not None
        suspend(session, stream)
        restored(session)
        assert offer(session) is None


def test_starting_empty_moves_everything_aside_even_what_came_later() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 42; save.image()")
        stream = crashed(session, stream)
        evaluate(session, stream, "later <- 1")
        restart(session, stream, "discard_restored")
        stream = again(session)
        assert evaluate(session, stream, "ls()") == "character(0)\n"
        (aside,) = store_of(session).parent.glob("*.not-restored-*")
        assert offer(session) is None
        suspend(session, stream)
        store_of(session).rename(store_of(session).with_name("other"))
        aside.rename(store_of(session))
        stream = restored(session)
        assert evaluate(session, stream, "c(x, later)") == "[1] 42  1\n"


def test_what_was_set_aside_comes_back_and_what_was_there_is_set_aside() -> None:
    with RunningSession() as session:
        stream = ready(session)
        assert session.rpc("take_back_objects")["error"]["code"] == 22
        evaluate(session, stream, "x <- 42; cat('shown before\\n')")
        stream = crashed(session, stream)
        restart(session, stream, "discard_restored")
        stream = again(session)
        evaluate(session, stream, "y <- 1; cat('shown later\\n')")
        for objects in ('"x"', '"y"', '"x"'):
            restart(session, stream, "take_back_objects")
            stream = again(session)
            assert evaluate(session, stream, "ls()") == f"[1] {objects}\n"
        shown = "".join(each["text"] for each in session.start["console"]["actions"])
        assert shown.index("shown before") < shown.index("shown later")
        assert len(list(store_of(session).parent.glob("*.not-restored-*"))) == 1


@pytest.mark.parametrize("name", ["../other", "suspended-session-data.not-restored-../../x", "suspended-session-data"])
def test_only_a_store_that_was_set_aside_comes_back(name: str) -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 42")
        suspend(session, stream)
        note = {"objects": "back", "command": "", "directory": "", "aside": name}
        (store_of(session).parent / "restart").write_text(json.dumps(note))
        assert evaluate(session, restored(session), "x") == "[1] 42\n"


def test_a_broken_note_changes_nothing() -> None:
    with RunningSession() as session:
        stream = ready(session)
        evaluate(session, stream, "x <- 42")
        session.call("checkpoint_session")
        os.kill(session.pid, signal.SIGKILL)
        (store_of(session).parent / "restart").write_text('{"objects": "eaten"}')
        assert evaluate(session, restored(session), "x") == "[1] 42\n"
        assert not messages(stream)
