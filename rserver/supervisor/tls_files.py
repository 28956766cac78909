"""The files of ssl-certificate: read with the master's rights, understood by a process that has none."""

import base64
import json
import os
import pwd
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rserver.supervisor import installation
from rserver.supervisor.directories import Owner
from rserver.supervisor.exit_codes import ExitCode, StartRefused
from rserver.supervisor.service import log
from rserver_core.options.rserver import RserverSettings
from rserver_process.privileges import become

SELF_SIGNED = "self-signed.pem"
_MOST_BYTES = 1 << 20
_SECONDS = 20.0
# A month before it ends.
_RENEW_SECONDS = 335 * 86400

_FIELDS = ("certificate", "key", "password")

Material = dict[str, Any]
Tell = Callable[[str], object]


def read(settings: RserverSettings, lib_dir: Path, reader: Owner, tell: Tell = log) -> list[Material]:
    """`chain`, `key` (PEM) and `names` of every certificate, none without ssl-enabled; StartRefused.

    lib_dir: where a certificate of our own is made when none is named; reader: whose rights the reading process has;
    tell: gets sentences of warning.
    """
    if not settings.ssl_enabled:
        return []
    paths = list(zip_longest(settings.ssl_certificate, settings.ssl_certificate_key, fillvalue=""))
    if not paths:
        paths = [(str(_own_certificate(lib_dir, reader)), "")]
    password = _password(settings.ssl_password_file, tell)
    files = [(_read(path, tell), _read(key, tell) if key else b"", password) for path, key in paths]
    question = [dict(zip(_FIELDS, map(_encoded, each), strict=True)) for each in files]
    answers = _ask({"certificates": question}, reader)["materials"]
    return [_accepted(path, answer, tell) for (path, _), answer in zip(paths, answers, strict=True)]


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _accepted(path: str, answer: Material, tell: Tell) -> Material:
    if "error" in answer:
        raise _refused(path, answer["error"])
    # Of our own certificate everything was said when it was made.
    for warning in answer["warnings"] if os.path.basename(path) != SELF_SIGNED else ():
        tell(f"the certificate {path}: {warning}")
    return {name: answer[name] for name in ("chain", "key", "names")}


def _password(path: str, tell: Tell) -> bytes:
    return _read(path, tell, secret=True).splitlines()[0] if path else b""


def _read(path: str, tell: Tell, *, secret: bool = False) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _refused(path, "it is no file")
            content = file.read(_MOST_BYTES + 1)
    except PermissionError:
        who = pwd.getpwuid(os.geteuid()).pw_name
        raise _refused(path, f"the account {who} may not read it") from None
    except OSError as error:
        raise _refused(path, f"it cannot be read: {error.strerror}") from None
    if not 0 < len(content) <= _MOST_BYTES:
        raise _refused(path, f"it has no content or more than {_MOST_BYTES} bytes")
    if (secret or b"PRIVATE KEY-----" in content) and status.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        tell(f"{path} holds a secret and others may read or change it: chmod 600 (or 640) mends that")
    return content


def _own_certificate(lib_dir: Path, reader: Owner) -> Path:
    path = lib_dir / SELF_SIGNED
    log(f"ssl-certificate is not set: {path} is used, signed by itself; browsers warn of it until one is set")
    if not path.exists() or time.time() - path.stat().st_mtime > _RENEW_SECONDS:
        pem = _ask({"self_signed": _own_names()}, reader)["pem"]
        aside = path.with_name(f"{path.name}.new")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    return path


def _own_names() -> list[str]:
    host = socket.gethostname()
    return list(dict.fromkeys([socket.getfqdn(host), host, "localhost", "127.0.0.1", "::1"]))


def _ask(question: dict[str, Any], reader: Owner) -> dict[str, Any]:
    def drop() -> None:
        become(reader.uid, reader.gid, [], no_new_privs=True)

    try:
        done = subprocess.run(
            installation.python(installation.TLS),
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=_SECONDS,
            env=installation.environment(),
            preexec_fn=drop,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        words = getattr(error, "stderr", None) or b""
        last = words.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise StartRefused(ExitCode.CONFIGURATION, f"certificates cannot be read: {error}; {''.join(last)}") from None
    return answer


def _refused(path: str, why: str) -> StartRefused:
    return StartRefused(ExitCode.CONFIGURATION, f"{path}: {why}")
