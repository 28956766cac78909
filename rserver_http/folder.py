"""The folder of rserver-http: configuration, certificates, pages, room for nginx. Private to the account it runs as."""

import os
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rserver_http.nginx_conf import PAGES, TEMPLATES, Certificate

CONFIGURATION, CANDIDATE = "nginx.conf", "nginx.conf.new"


class Folder:
    """`path` exists and is ours alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("pages", "certificates"):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        for name in PAGES:
            self._write(Path("pages", name), (TEMPLATES / name).read_text("utf-8"))

    @property
    def configuration(self) -> Path:
        """What nginx runs with."""
        return self.path / CONFIGURATION

    @property
    def pid_file(self) -> Path:
        """Written by nginx when it serves, removed when it ends."""
        return self.path / "nginx.pid"

    def propose(self, text: str) -> Path:
        """Put a configuration aside, to be tested; its path."""
        return self._write(Path(CANDIDATE), text)

    def accept(self) -> None:
        """What was proposed last counts from now on."""
        (self.path / CANDIDATE).rename(self.configuration)

    def certificates(self, materials: Sequence[Mapping[str, Any]]) -> tuple[Certificate, ...]:
        """One file with chain and key for each, mode 0600; `chain`, `key` (PEM), `names` as the master has them.

        A file is named by its content: nginx, which reads them later, never finds a chain beside another's key.
        """
        found = []
        for material in materials:
            text = material["chain"] + material["key"]
            name = Path("certificates", f"{sha256(text.encode()).hexdigest()[:32]}.pem")
            if not (self.path / name).exists():
                self._write(name, text)
            found.append(Certificate(str(self.path / name), tuple(material["names"])))
        return tuple(found)

    def forget_certificates(self, kept: Sequence[Certificate]) -> None:
        """Remove the files of certificates that are used no longer."""
        wanted = {each.file for each in kept}
        for path in (self.path / "certificates").iterdir():
            if str(path) not in wanted:
                path.unlink()

    def clear(self) -> None:
        """Remove what nginx leaves behind when it is killed."""
        self.pid_file.unlink(missing_ok=True)
        for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _write(self, name: Path, text: str) -> Path:
        path = self.path / name
        aside = path.with_name(f".{path.name}.aside")
        with open(
            os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
        return path
