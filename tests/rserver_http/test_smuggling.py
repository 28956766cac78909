"""Behind the nginx that rserver-http configures no request means something else than to nginx itself."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rserver_http.nginx_conf import Limits, render
from rserver_http.nginx_program import find
from tests.rserver.proxy.lone_plane import lone_plane
from tests.rserver.proxy.nginx import free_port, needs_nginx
from tests.rserver.proxy.smuggling.cases import Case, corpus
from tests.rserver.proxy.smuggling.recorder import Recorder
from tests.rserver.proxy.smuggling.ways import Environment, Outcomes, only_nginx, outcomes
from tests.rserver.worker_process import wait_until
from tests.rserver_http.variants import PLAIN
from tests.system.test_networks import listens

CASES = corpus()
pytestmark = needs_nginx


@contextmanager
def behind_own_nginx(folder: Path, recorder: Recorder, environment: Environment) -> Iterator[int]:
    """Client, nginx as rserver-http has it, worker, backend; with short times, and TCP between nginx and worker."""
    times = {"tick_seconds": 0.05, "head_seconds": 2.0, "keep_alive_seconds": 1.0, "body_stall_seconds": 2.0}
    with lone_plane(recorder.path, environment, **times) as (worker, _):
        port = free_port()
        settings = replace(
            PLAIN,
            program=find("", os.environ),
            listens=(f"127.0.0.1:{port}",),
            folder=str(folder),
            limits=Limits(head_seconds=1, body_seconds=1, send_seconds=5),
            processes=1,
        )
        text = render(settings).replace(f"unix:{PLAIN.worker_socket}", f"127.0.0.1:{worker}")
        path = folder / "nginx.conf"
        path.write_text(
            re.sub(r"(?m)^    keepalive_timeout .*", "    keepalive_timeout 1s; lingering_timeout 1s;", text)
        )
        nginx = subprocess.Popen([settings.program.path, "-e", "stderr", "-c", str(path)])
        try:
            wait_until(lambda: listens(port))
            yield port
        finally:
            nginx.terminate()
            nginx.wait(20)


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return outcomes(behind_own_nginx, tmp_path_factory.mktemp("own"), {}, CASES)


@pytest.fixture(scope="module")
def nginx_alone(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return outcomes(only_nginx, tmp_path_factory.mktemp("nginx"), {}, CASES)


def test_no_backend_meets_what_breaks_the_rules(through: Outcomes) -> None:
    assert through.broken == ()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_arrives_is_what_was_meant(through: Outcomes, nginx_alone: Outcomes, case: Case) -> None:
    seen, meant = through.of[case.number].requests, (*nginx_alone.of[case.number].requests, *case.requests)
    assert [request for request in seen if request not in meant] == []
