"""The worker as a process: reactor, channel, threads, front - everything but the master and R."""

import concurrent.futures
import os
import pwd
import signal
import time
from typing import Any

import pytest

from tests.rserver.worker_process import PASSWORD, RunningWorker, running_worker, wait_until
from tests.system.visitor import Visitor

USER = pwd.getpwuid(os.getuid()).pw_name


def signed_in(worker: RunningWorker, user: str = USER) -> Visitor:
    visitor = Visitor(worker.port)
    answer = visitor.sign_in(user, PASSWORD)
    assert answer.status == 302
    return visitor


def rpc(visitor: Visitor, path: str) -> int:
    answer = visitor.post_json(f"{path}rpc/client_init", {"method": "client_init", "params": []})
    assert answer.status == 200, answer
    value = answer.json()["result"]
    assert isinstance(value, int)
    return value


def test_from_sign_in_to_a_running_session() -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        path = visitor.get("/").location
        assert rpc(visitor, path) == 4711
        (head,) = [head for head in worker.sessions[0].heads if b"client_init" in head]
        assert head.startswith(b"POST /rpc/client_init HTTP/1.1\r\n")
        assert f"X-RS-User: {USER}\r\n".encode() in head
        assert b"user-id" not in head
        assert visitor.get(f"/api/sessions/{path.split('/')[2]}").json()["state"] == "running"


def test_fifty_first_requests_start_one_process() -> None:
    with running_worker() as worker:
        cookies = signed_in(worker).cookies
        visitors = [Visitor(worker.port, dict(cookies)) for _ in range(50)]
        path = visitors[0].get("/").location
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            assert set(pool.map(lambda visitor: rpc(visitor, path), visitors)) == {4711}
        assert len(worker.master.asked("launch")) == 1


def test_a_launcher_that_never_answers_is_reported() -> None:
    """NeverLauncher."""
    with running_worker({"rsession-proxy-max-wait-secs": 1}) as worker:
        worker.replies["launch"] = lambda _: None
        visitor = signed_in(worker)
        path = visitor.get("/").location
        answer = visitor.post_json(f"{path}rpc/client_init", {"method": "client_init", "params": []})
        error = answer.json()["error"]
        assert (answer.status, error["code"], error["session"]["state"]) == (503, 21, "failed")
        page = visitor.get(path)
        assert page.status == 503
        assert b"did not answer within 1 seconds" in page.body


def test_a_client_that_goes_away_does_not_stop_the_launch() -> None:
    with running_worker() as worker:
        worker.replies["launch"] = lambda _: None
        visitor = signed_in(worker)
        path = visitor.get("/").location
        with pytest.raises(TimeoutError):
            visitor.request("GET", f"{path}graphics/1.png", timeout=0.3)
        (request,) = worker.master.wait_for("launch")
        worker.master.send(id=request["id"], **worker.launch(request))
        assert rpc(visitor, path) == 4711


def test_pam_that_sleeps_for_one_user_delays_nobody() -> None:
    """SlowPam."""
    with running_worker() as worker:
        quick = worker.replies["check_password"]
        worker.replies["check_password"] = lambda m: None if m["user"] == "slow" else quick(m)
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            waiting = [pool.submit(Visitor(worker.port).sign_in, "slow", "x") for _ in range(5)]
            worker.master.wait_for("check_password", 2)
            begun = time.monotonic()
            signed_in(worker)
            assert time.monotonic() - begun < 1.0
            requests = [m for m in worker.master.asked("check_password") if m["user"] == "slow"]
            assert len(requests) == 2
            assert not any(attempt.done() for attempt in waiting)
            worker.replies["check_password"] = lambda _: {"exit": 1, "reason": ""}
            for request in requests:
                worker.master.send(id=request["id"], exit=1, reason="late")
            assert {attempt.result().status for attempt in waiting} == {302}


def test_a_worker_that_was_killed_comes_back_to_the_same_session() -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        path = visitor.get("/").location
        assert rpc(visitor, path) == 4711
        running = worker.record_of(path.split("/")[2], USER, worker.sessions[0])
        worker.kill()
        worker.replies["list"] = lambda _: {"sessions": [running]}
        worker.start()
        assert rpc(visitor, path) == 4711
        assert visitor.get("/").location == path
        assert not worker.master.asked("launch")


def test_a_session_that_ended_while_the_worker_was_away_is_not_started_unasked() -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        path = visitor.get("/").location
        assert rpc(visitor, path) == 4711
        worker.kill()
        worker.start()
        answer = visitor.post_json(f"{path}rpc/client_init", {"method": "client_init", "params": []})
        assert answer.json()["error"]["code"] == 21
        assert "is gone" in answer.json()["error"]["message"]
        worker.kill()
        worker.start()
        assert b"is gone" in visitor.get(path).body
        assert not worker.master.asked("launch")


def test_signing_out_kills_copies_also_after_a_restart() -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        thief = Visitor(worker.port, dict(visitor.cookies))
        assert visitor.post_form("/auth-sign-out").status == 302
        assert "auth-sign-in" in thief.get("/").location
        worker.kill()
        worker.start()
        assert "auth-sign-in" in thief.get("/").location
        assert signed_in(worker).get("/").location.startswith("/s/")


def test_a_session_that_crashes_is_reported_at_once() -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        path = visitor.get("/").location
        rpc(visitor, path)
        session = path.split("/")[2]
        event = {"session": session, "pid": 4711, "code": None, "signal": 11, "stderr_tail": "*** caught segfault ***"}
        worker.master.send(event="exited", **event)
        wait_until(lambda: visitor.get(f"/api/sessions/{session}").json()["state"] == "failed", 1.0)
        page = visitor.get(path).body
        assert b"SIGSEGV" in page
        assert b"*** caught segfault ***" in page
        again = visitor.post_form(f"{path}restart", how="no-profile")
        assert (again.status, again.location) == (303, path)
        assert "--r-run-rprofile=0" in worker.master.wait_for("launch", 2)[1]["launch"]["argv"]


@pytest.mark.parametrize("by", ["signal", "event"])
def test_a_clean_end(by: str) -> None:
    with running_worker() as worker:
        visitor = signed_in(worker)
        assert visitor.get("/health-check").status == 200
        worker.process.send_signal(signal.SIGINT)
        assert visitor.get("/health-check").status == 200
        if by == "signal":
            worker.process.send_signal(signal.SIGTERM)
        else:
            worker.master.send(event="stop")
        assert worker.wait() == 0
        assert "Traceback" not in worker.log


def test_without_its_master_it_ends_at_once() -> None:
    with running_worker() as worker:
        assert Visitor(worker.port).get("/health-check").status == 200
        worker.master.close()
        assert worker.wait() == 1


@pytest.mark.parametrize("wrong", [{"cookie_keys": []}, {"options": {"auth-timeout-minutes": "soon"}}])
def test_a_greeting_that_cannot_be_served_ends_it_with_a_line(wrong: dict[str, Any]) -> None:
    with running_worker(**wrong) as worker:
        assert worker.wait() == 1
        assert "cannot serve" in worker.log
        assert "Traceback" not in worker.log


def test_single_user_mode_lets_its_user_in() -> None:
    with running_worker(single_user={"user": USER, "uid": os.getuid()}) as worker:
        visitor = Visitor(worker.port)
        path = visitor.get("/").location
        assert path.startswith("/s/")
        visitor.get(path)
        assert rpc(visitor, path) == 4711


def test_it_stays_small() -> None:
    with running_worker() as worker:
        signed_in(worker).get("/")
        with open(f"/proc/{worker.process.pid}/smaps_rollup") as rollup:
            (pss,) = [int(line.split()[1]) for line in rollup if line.startswith("Pss:")]
        assert pss < 60_000


def test_headers_of_the_administrator_are_added() -> None:
    with running_worker({"server-add-header": ["X-House: ours", "X-Floor: 2"]}) as worker:
        headers = Visitor(worker.port).get("/auth-sign-in").headers
        assert (headers["X-House"], headers["X-Floor"]) == ("ours", "2")


def test_the_page_of_all_sessions_knows_the_root_path() -> None:
    with running_worker({"www-root-path": "/r"}) as worker:
        visitor = Visitor(worker.port)
        visitor.get("/r/auth-sign-in")
        visitor.post_form("/r/auth-do-sign-in", username=USER, password=PASSWORD)
        urls = [visitor.post_json("/r/api/sessions", {}).json()["url"] for _ in range(2)]
        assert all(url.startswith("/r/s/") for url in urls)
        assert visitor.get("/r/").location == "/r/home"
        page = visitor.get("/r/home").body.decode()
        assert all(f'href="{url}"' in page for url in urls)
        assert 'action="/r/home"' in page
        assert visitor.get("/r/static/home.js").status == 200
        answer = visitor.post_form("/r/home", session=urls[0].split("/")[3], do="rename", label="first")
        assert answer.location == "/r/home"
        assert "first" in visitor.get("/r/home").body.decode()
