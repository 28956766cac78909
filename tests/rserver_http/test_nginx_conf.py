"""The configuration of nginx: golden files, one for each variant, and what nginx itself says of them.

RSERVER_WRITE_GOLDEN=1 writes the golden files anew: look at the difference before you keep it.
"""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rserver_http.nginx_conf import Certificate, NginxSettings, render
from rserver_http.nginx_program import find
from tests.rserver_http.variants import PLAIN, VARIANTS, options

GOLDEN = Path(__file__).parent / "golden"

needs_nginx = pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="needs nginx")


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_is_as_its_golden_file(name: str) -> None:
    path, text = GOLDEN / f"{name}.conf", render(VARIANTS[name]())
    if os.environ.get("RSERVER_WRITE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()


def test_every_golden_file_has_its_variant() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(VARIANTS)


def placed(settings: NginxSettings, folder: Path) -> NginxSettings:
    """The same with files that are there, ports that anybody may bind, and the nginx of this machine."""
    made = []
    for number, certificate in enumerate(settings.certificates):
        path = folder / f"{number}.pem"
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        argv += ["-keyout", str(path), "-out", str(folder / "chain"), "-subj", "/CN=x", "-days", "2"]
        subprocess.run(argv, check=True, capture_output=True)
        path.write_text(path.read_text() + (folder / "chain").read_text())
        made.append(Certificate(str(path), certificate.names))
    snippets = {}
    for place in settings.snippets:
        snippets[place] = str(folder / f"nginx.{place}.conf")
        Path(snippets[place]).write_text("# nothing\n")
    listens = tuple(re.sub(r":\d+$", f":{20_000 + number}", each) for number, each in enumerate(settings.listens))
    redirects = tuple(re.sub(r":\d+$", f":{21_000 + number}", each) for number, each in enumerate(settings.redirects))
    return replace(
        settings,
        program=find("", os.environ),
        certificates=tuple(made),
        snippets=snippets,
        listens=listens,
        redirects=redirects,
        folder=str(folder),
    )


def complaint(settings: NginxSettings, folder: Path) -> str:
    """What nginx -t says, empty when it is content."""
    path = folder / "nginx.conf"
    path.write_text(render(settings))
    argv = [settings.program.path, "-e", "stderr", "-t", "-q", "-c", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@needs_nginx
@pytest.mark.parametrize("name", VARIANTS)
def test_nginx_takes_every_variant(name: str, tmp_path: Path) -> None:
    assert not complaint(placed(VARIANTS[name](), tmp_path), tmp_path)


@needs_nginx
def test_value_cannot_leave_its_directive(tmp_path: Path) -> None:
    hostile = replace(PLAIN, fields=(("X-Words", 'a"; return 200 "b'), ("X-More", "\\"), ("X-Dollar", "$nothing {}")))
    assert not complaint(placed(hostile, tmp_path), tmp_path)
    assert 'return 200 "b' not in render(hostile)


def test_strict_transport_is_said_only_with_tls() -> None:
    from rserver_http.nginx_conf import fields_of

    names = [name for name, _ in fields_of(options(ssl_enabled=False))[0]]
    assert "Strict-Transport-Security" not in names
    assert ("Strict-Transport-Security", "max-age=15552000") in fields_of(options(ssl_enabled=True))[0]
