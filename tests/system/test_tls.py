"""HTTPS at the front door, with real certificates of every kind, as clients see it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.rserver.worker_process import wait_until
from tests.rserver_admin.command import rstudio_server
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server

pytestmark = pytest.mark.root


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, an authority below it, and leaves for one.test and two.test, *.many.test in several containers."""
    folder = tmp_path_factory.mktemp("certificates")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        folder, "req", "-x509", *new_key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", "-days", "90"
    )
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    sign(folder, "middle", "root", "ca.ext")
    for name, host in (("one", "one.test"), ("two", "two.test"), ("many", "*.many.test")):
        list_at = "crlDistributionPoints=URI:http://127.0.0.1/list.crl"
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n{list_at}\n")
        sign(folder, name, "middle", f"{name}.ext")
        # Root first: whatever the order in the file, what is sent must be right.
        whole = [(folder / f"{part}.pem").read_text() for part in ("root", "middle", name)]
        (folder / f"{name}-chain.pem").write_text("".join(whole))
    both = (folder / "one.key").read_text() + (folder / "one-chain.pem").read_text()
    (folder / "combined.pem").write_text(both)
    (folder / "password").write_text("geheim\n")
    (folder / "password").chmod(0o600)
    openssl(folder, "ec", "-in", "one.key", "-aes256", "-passout", "file:password", "-out", "locked.key")
    bundle = ("pkcs12", "-export", "-inkey", "one.key", "-in", "one.pem", "-certfile", "middle.pem")
    openssl(folder, *bundle, "-passout", "file:password", "-out", "modern.pfx")
    openssl(folder, *bundle, "-legacy", "-passout", "file:password", "-out", "legacy.pfx")
    return folder


def sign(folder: Path, name: str, issuer: str, extensions: str, days: str = "90") -> None:
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-new", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    authority = ("-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial")
    openssl(
        folder,
        "x509",
        "-req",
        "-in",
        f"{name}.csr",
        *authority,
        "-out",
        f"{name}.pem",
        "-days",
        days,
        "-extfile",
        extensions,
    )


def trusting(root: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(root))


def shown_to(server: RunningServer, root: Path, host: str) -> str:
    """The common name of the certificate that a client gets who trusts root alone and asks for host."""
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        trusting(root).wrap_socket(plain, server_hostname=host) as connection,
    ):
        subject: Any = connection.getpeercert()
        return str(dict(pair[0] for pair in subject["subject"])["commonName"])


def serving(**options: str) -> contextlib.AbstractContextManager[RunningServer]:
    return running_server(None, "", None, None, ssl_enabled="1", **options)


@pytest.mark.parametrize(
    ("certificate", "more"),
    [
        ("one-chain.pem", {"ssl_certificate_key": "one.key"}),
        ("combined.pem", {}),
        ("one-chain.pem", {"ssl_certificate_key": "locked.key", "ssl_password_file": "password"}),
        ("modern.pfx", {"ssl_password_file": "password"}),
        ("legacy.pfx", {"ssl_password_file": "password"}),
    ],
    ids=["pem and key", "one pem", "key with password", "pfx", "legacy pfx"],
)
def test_certificates_of_every_kind_are_served_with_their_chain(
    made: Path, certificate: str, more: dict[str, str]
) -> None:
    options = {name: str(made / file) for name, file in more.items()}
    with serving(ssl_certificate=str(made / certificate), **options) as server:
        assert shown_to(server, made / "root.pem", "one.test") == "one"
        assert "geheim" not in server.log


def test_name_that_is_asked_for_chooses_and_a_reload_replaces(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "one.key", tmp_path / "first.key")
    shutil.copy(made / "one-chain.pem", tmp_path / "first.pem")
    lines = [f"ssl-certificate={tmp_path}/first.pem", f"ssl-certificate={made}/two-chain.pem"]
    lines += [f"ssl-certificate={made}/many-chain.pem", f"ssl-certificate-key={tmp_path}/first.key"]
    lines += [f"ssl-certificate-key={made}/two.key", f"ssl-certificate-key={made}/many.key"]
    with running_server(conf="\n".join(["ssl-enabled=1", *lines, ""])) as server:
        root = made / "root.pem"
        assert [shown_to(server, root, f"{name}.test") for name in ("one", "two", "any.many")] == ["one", "two", "many"]
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting(root), timeout=10)
        connection.request("GET", "/health-check")
        assert connection.getresponse().read() == b"ok"
        sock = connection.sock
        shutil.copy(made / "many.key", tmp_path / "first.key")
        shutil.copy(made / "many-chain.pem", tmp_path / "first.pem")
        os.kill(server.master_pid, signal.SIGHUP)
        wait_until(lambda: shown_to(server, root, "127.0.0.1") == "many")
        connection.request("GET", "/health-check")
        assert connection.getresponse().read() == b"ok"
        assert connection.sock is sock
        connection.close()
        assert sock.fileno() == -1
        (tmp_path / "first.pem").write_text("no certificate")
        os.kill(server.master_pid, signal.SIGHUP)
        wait_until(lambda: "was not reloaded" in server.log)
        assert "first.pem" in server.log
        assert shown_to(server, root, "two.test") == "two"


def test_without_a_certificate_one_is_made_once_and_said_so() -> None:
    with serving() as server:
        made_one = server.lib_dir / "self-signed.pem"
        assert made_one.stat().st_mode & 0o777 == 0o600
        assert server.log.count("signed by itself") == 1
        assert shown_to(server, made_one, "localhost") == "localhost"


def test_only_tls_is_spoken_and_browsers_are_told(made: Path) -> None:
    certificate = {"ssl_certificate": str(made / "combined.pem")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        redirect_port = free.getsockname()[1]
    with serving(ssl_redirect_http_port=str(redirect_port), ssl_hsts_include_subdomains="1", **certificate) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting(made / "root.pem"))
        connection.request("GET", "/auth-sign-in")
        answer = connection.getresponse()
        assert answer.headers["Strict-Transport-Security"] == "max-age=15552000; includeSubDomains"
        assert all("Secure" in cookie for cookie in answer.headers.get_all("Set-Cookie") or [""])
        connection.close()
        redirect = asked(redirect_port, "GET /s/x?y=1 HTTP/1.1\r\nHost: one.test:80\r\n\r\n")
        assert b"301 Moved" in redirect
        assert f"Location: https://one.test:{server.port}/s/x?y=1\r\n".encode() in redirect
        assert b"Strict-Transport" not in redirect
        here = f"one.test:{server.port}"
        redirect = asked(server.port, f"GET /s/x HTTP/1.1\r\nHost: {here}\r\n\r\n")
        assert redirect.startswith(b"HTTP/1.1 301 ")
        assert f"Location: https://{here}/s/x\r\n".encode() in redirect
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", server.port)) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)
        # What is no request is answered, and nothing of it reaches the log as a fault of ours.
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            trusting(made / "root.pem").wrap_socket(plain, server_hostname="one.test") as broken,
        ):
            broken.sendall(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
            assert b"400 Bad Request" in broken.recv(4096)
        assert "Traceback" not in server.log


def asked(port: int, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request.encode())
        with contextlib.suppress(ConnectionResetError):
            return connection.recv(4096)
    return b""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ssl_certificate": "missing.pem"}, "missing.pem: it cannot be read: No such file"),
        ({"ssl_certificate": "root.key"}, "the certificate cannot be read"),
        ({"ssl_certificate": "one-chain.pem"}, "ssl-certificate-key"),
        ({"ssl_certificate": "one-chain.pem", "ssl_certificate_key": "two.key"}, "does not belong"),
        ({"ssl_certificate": "one-chain.pem", "ssl_certificate_key": "locked.key"}, "ssl-password-file"),
        ({"ssl_certificate": "modern.pfx"}, "password does not fit"),
        ({"ssl_certificate": "."}, "Is a directory"),
        ({"ssl_certificate": "fifo"}, "it is no file"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_starts(made: Path, options: dict[str, str], says: str) -> None:
    if not (made / "fifo").exists():
        os.mkfifo(made / "fifo")
    given = {name: str(made / file) for name, file in options.items()}
    argv = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    done = refused(made, argv)
    assert done.returncode == 2
    assert says in done.stderr


def refused(folder: Path, argv: list[str], account: Account | None = None) -> "subprocess.CompletedProcess[str]":
    rserver = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "rserver"
    places = [
        f"--server-data-dir={folder}/run",
        f"--server-lib-dir={folder}/lib",
        "--www-port=0",
        "--server-daemonize=0",
    ]
    return subprocess.run(
        [str(rserver), "--ssl-enabled=1", *places, *argv],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        user=account.uid if account else None,
        env={**os.environ, **({"HOME": str(account.home), "USER": account.name} if account else {})},
    )


def test_account_that_may_not_read_the_key_is_named(made: Path, alice: Account, tmp_path: Path) -> None:
    for folder in (made, *made.parents[:2]):
        folder.chmod(0o755)
    (made / "one.key").chmod(0o600)
    argv = [f"--ssl-certificate={made}/one-chain.pem", f"--ssl-certificate-key={made}/one.key"]
    done = refused(alice.home, argv, alice)
    assert done.returncode == 2
    assert f"the account {alice.name} may not read it" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("testssl") is None, reason="needs testssl (Debian: testssl.sh)")
@pytest.mark.parametrize("own_nginx", ["0", "1"])
def test_nothing_is_found_by_testssl(made: Path, tmp_path: Path, own_nginx: str) -> None:
    with serving(ssl_certificate=str(made / "combined.pem"), server_http=own_nginx) as server:
        argv = [
            "testssl",
            "--quiet",
            "--color",
            "0",
            "--jsonfile",
            str(tmp_path / "found.json"),
            f"127.0.0.1:{server.port}",
        ]
        subprocess.run(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, check=False, timeout=500)
        found = json.loads((tmp_path / "found.json").read_text())
        assert len(found) > 100
        bad = [each for each in found if each["severity"] in {"MEDIUM", "HIGH", "CRITICAL"}]
        # Nobody knows the root of these tests.
        assert [f"{each['id']}: {each['finding']}" for each in bad if each["id"] != "cert_chain_of_trust"] == []
        assert "Traceback" not in server.log


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sslyze") is None, reason="needs sslyze (PyPI, in an environment of its own)")
@pytest.mark.parametrize("own_nginx", ["0", "1"])
def test_nothing_is_found_by_sslyze(made: Path, tmp_path: Path, own_nginx: str) -> None:
    with serving(ssl_certificate=str(made / "combined.pem"), server_http=own_nginx, www_workers="2") as server:
        known = ["--certinfo_ca_file", str(made / "root.pem"), "--resum", "--early_data", "--http_headers"]
        argv = ["sslyze", "--mozilla_config=intermediate", "--json_out=found.json", f"127.0.0.1:{server.port}"]
        done = subprocess.run([*argv, *known], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
        assert "Traceback" not in server.log
    (scan,) = json.loads((tmp_path / "found.json").read_text())["server_scan_results"]
    assert {name: each["status"] for name, each in scan["scan_result"].items() if each["error_trace"]} == {}
    found = {name: each["result"] for name, each in scan["scan_result"].items()}
    assert found["session_resumption"]["tls_ticket_resumption_result"] == "FULLY_SUPPORTED"
    assert found["robot"]["robot_result"] == "NOT_VULNERABLE_RSA_NOT_SUPPORTED"
    assert not found["tls_1_3_early_data"]["supports_early_data"]
    # The root is not one of Mozilla's; the last two curves are not on its list, and strong.
    curves = "tls_curves: TLS curves {'X448', 'secp521r1'} are supported, but should be rejected."
    complaints = [line.strip(" *") for line in done.stdout.splitlines() if line.startswith("        * ")]
    listed = sorted(line.replace("{'secp521r1', 'X448'}", "{'X448', 'secp521r1'}") for line in complaints)
    assert [line for line in listed if line != curves] == [
        "certificate_path_validation: Certificate path validation failed for CN=one."
    ], done.stdout


def test_test_config_reads_the_certificates(made: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("nonsense")
    lines = [f"{made}/one-chain.pem", f"{tmp_path}/broken.pem", f"{tmp_path}/missing.pem"]
    keys = [f"{made}/one.key", f"{made}/one.key", f"{made}/two.key"]
    conf = [
        "ssl-enabled=1",
        *(f"ssl-certificate={line}" for line in lines),
        *(f"ssl-certificate-key={key}" for key in keys),
    ]
    (tmp_path / "rserver.conf").write_text("\n".join(conf) + "\n")
    places = (f"--server-data-dir={tmp_path}/run", f"--server-lib-dir={tmp_path}/lib")
    for verb in ("test-config", "start"):
        done = rstudio_server(verb, *places, "--json", conf=tmp_path)
        assert done.returncode == 2
        assert f"{tmp_path}/broken.pem" in done.stdout
        assert f"{tmp_path}/missing.pem: it cannot be read" in done.stdout
        assert "one-chain.pem" not in done.stdout
    (tmp_path / "rserver.conf").write_text(
        f"ssl-enabled=1\nssl-certificate={made}/root.pem\nssl-certificate-key={made}/root.key\n"
    )
    done = rstudio_server("test-config", *places, conf=tmp_path)
    assert done.returncode == 0
    assert f"Warning: the certificate {made}/root.pem: it is signed by nobody but itself" in done.stdout
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "lib").exists()
