"""A JupyterHub with LocalProcessSpawner, PAM and IRkernel beside our server: started, signed in to, measured.

The programs are found on PATH or named by RSERVER_BENCH_JUPYTERHUB and RSERVER_BENCH_CHP; bench/README.md tells how to
install them.
"""

import contextlib
import http.cookiejar
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import command_line, descendants
from bench.server import Account
from bench.web_client import EventSocket

_CONFIG = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.service = {service!r}
c.Authenticator.allow_all = True
c.JupyterHub.cookie_secret_file = "{directory}/cookie_secret"
c.JupyterHub.db_url = "sqlite:///{directory}/hub.sqlite"
c.JupyterHub.pid_file = "{directory}/hub.pid"
c.Spawner.cmd = [{singleuser!r}]
c.Spawner.environment = {{"JUPYTER_PATH": "{directory}/share"}}
c.Spawner.poll_interval = 3600
c.JupyterHub.services = [{{"name": "bench", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "bench", "services": ["bench"], "scopes": ["access:servers", "read:users", "servers"]}}
]
"""
_START_SECONDS = 120.0
_XSRF = re.compile(r'name="_xsrf" value="([^"]+)"')


@dataclass(frozen=True)
class Programs:
    """Where the peer's programs are."""

    hub: str
    single_user: str
    proxy: str


def programs() -> Programs | str:
    """The programs, or the reason why there is no comparison."""
    hub = os.environ.get("RSERVER_BENCH_JUPYTERHUB") or shutil.which("jupyterhub")
    proxy = os.environ.get("RSERVER_BENCH_CHP") or shutil.which("configurable-http-proxy")
    single_user = str(Path(hub).with_name("jupyterhub-singleuser")) if hub else ""
    if not hub or not Path(single_user).exists():
        return "no jupyterhub with jupyterhub-singleuser on PATH or in RSERVER_BENCH_JUPYTERHUB"
    if not proxy:
        return "no configurable-http-proxy on PATH or in RSERVER_BENCH_CHP"
    if subprocess.run(["Rscript", "-e", "library(IRkernel)"], capture_output=True, check=False).returncode:
        return "no IRkernel in R (Debian: r-cran-irkernel)"
    return Programs(hub, single_user, proxy)


class Hub:
    """A running JupyterHub."""

    def __init__(self, directory: Path, found: Programs, service: str) -> None:
        self.port, hub_port, api_port = _free_ports(3)
        self.token = secrets.token_hex(16)
        config = directory / "jupyterhub_config.py"
        config.write_text(
            _CONFIG.format(
                port=self.port,
                hub_port=hub_port,
                api_port=api_port,
                proxy=found.proxy,
                service=service,
                directory=directory,
                singleuser=found.single_user,
                token=self.token,
            )
        )
        self._log = (directory / "log").open("wb")
        self._log_path = directory / "log"
        self.process = subprocess.Popen(
            [found.hub, "--config", str(config)],
            cwd=directory,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._wait_until_served()

    def sign_in_to_kernel(self, user: Account) -> float:
        """Seconds from posting the password to the first answer of an R kernel in the user's own server."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = opener.open(f"{self._url}hub/login", timeout=60).read().decode()
        found = _XSRF.search(page)
        fields = {"_xsrf": found.group(1) if found else "", "username": user.name, "password": user.password}
        started = time.perf_counter()
        opener.open(f"{self._url}hub/login", urllib.parse.urlencode(fields).encode(), timeout=60).close()
        self._wait_until(f"user/{user.name}/api/status")
        self._first_answer_of_kernel(user)
        return time.perf_counter() - started

    def hub_and_proxy(self) -> list[int]:
        """The two processes of the idle server."""
        nodes = [pid for pid in descendants(self.process.pid) if "configurable-http-proxy" in command_line(pid)]
        return [self.process.pid, *nodes]

    def user_processes(self, user: Account) -> list[int]:
        """The user's server and kernel."""
        below = descendants(self.process.pid)
        return [pid for pid in below if Path(f"/proc/{pid}").stat().st_uid == user.uid]

    def stop(self, user: Account) -> None:
        """End the user's server."""
        with contextlib.suppress(urllib.error.HTTPError):
            self._api(f"hub/api/users/{user.name}/server", "DELETE")

    def end(self) -> None:
        """End the hub, its proxy and every server."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self._log.close()

    def log(self) -> str:
        """What the hub wrote."""
        return self._log_path.read_text(errors="replace")

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _api(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            # Until the user's server runs, the hub answers with a page of its own.
            return json.loads(text) if answer.url == request.full_url and text[:1] in {b"{", b"["} else None

    def _wait_until(self, path: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, ValueError):
                if self._api(path) is not None:
                    return
            time.sleep(0.02)
        message = f"{path} was not answered:\n{self.log()[-3000:]}"
        raise TimeoutError(message)

    def _wait_until_served(self) -> None:
        self._wait_until("hub/api/")

    def _first_answer_of_kernel(self, user: Account) -> None:
        kernel = self._api(f"user/{user.name}/api/kernels", "POST", {"name": "ir"})
        path = f"/user/{user.name}/api/kernels/{kernel['id']}/channels"
        channels = EventSocket(self.port, path, "", f"Authorization: token {self.token}")
        channels.send_text(json.dumps(_KERNEL_INFO))
        channels.wait_for(b"kernel_info_reply")
        channels.close()


_KERNEL_INFO = {
    "channel": "shell",
    "header": {"msg_id": "1", "session": "1", "username": "", "msg_type": "kernel_info_request", "version": "5.3"},
    "parent_header": {},
    "metadata": {},
    "content": {},
    "buffers": [],
}


@contextlib.contextmanager
def running_hub(found: Programs, service: str = "login") -> Iterator[Hub]:
    """A hub with the R kernel registered, ended afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="rserver-bench-hub-"))
    directory.chmod(0o755)
    register = f"IRkernel::installspec(user = FALSE, prefix = '{directory}')"
    subprocess.run(["Rscript", "-e", register], check=True, capture_output=True, env=_with_jupyter(found))
    (directory / "share" / "kernels").symlink_to(directory / "share" / "jupyter" / "kernels")
    try:
        hub = Hub(directory, found, service)
        try:
            yield hub
        finally:
            hub.end()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _with_jupyter(found: Programs) -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(found.hub).parent}:{os.environ['PATH']}"}


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
