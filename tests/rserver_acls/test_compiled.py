"""How the compiled part is built, and that it stays within its memory whatever it is told and meets."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.rserver_acls.projects import ROOT, copy_program

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

SOURCES = [ROOT / "rserver_acls" / "_native.c", *sorted((ROOT / "rserver_acls" / "native").glob("*.c"))]
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-align", "-Wformat=2", "-Wvla", "-Werror"]


def build(to: Path, *flags: str) -> None:
    include = f"-I{sysconfig.get_path('include')}"
    name = f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    # Names in PyModuleDef and PyMethodDef are left out on purpose, as everywhere.
    argv = ["gcc", "-std=gnu11", "-shared", "-fPIC", "-Wno-missing-field-initializers", include, *flags]
    subprocess.run([*argv, "-o", str(to / name), *map(str, SOURCES)], check=True)


def test_no_warning(tmp_path: Path) -> None:
    build(tmp_path, "-O2", "-D_FORTIFY_SOURCE=2", *STRICT)


def test_it_is_built_with_guards() -> None:
    """Addresses are fixed after loading, the stack is executable for nobody, and overruns of it are noticed."""
    (built,) = (ROOT / "rserver_acls").glob("_native.*.so")
    told = subprocess.run(["readelf", "-W", "-l", "-d", "-s", built], check=True, capture_output=True, text=True).stdout
    assert "GNU_RELRO" in told
    assert "BIND_NOW" in told
    assert "__stack_chk_fail" in told
    assert " RWE " not in told


@pytest.mark.slow
def test_with_sanitizers(tmp_path: Path) -> None:
    """All tests of the walk, with errors in callbacks, under AddressSanitizer and UndefinedBehaviorSanitizer."""
    root = tmp_path / "root"
    copy_program(root)
    build(root / "rserver_acls", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    preload = [_library(name) for name in ("libasan.so", "libubsan.so")]
    environment = {
        "LD_PRELOAD": " ".join(preload), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": f"{root}:{ROOT}",
        "PATH": os.environ["PATH"], "PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    check = f"import rserver_acls._native as native; assert native.__file__.startswith({str(root)!r}); import pytest; "
    tests = [str(ROOT / "tests" / "rserver_acls" / name) for name in ("test_walks.py", "test_walks_with_lists.py")]
    code = check + f"raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', *{tests!r}]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _library(name: str) -> str:
    told = subprocess.run(["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return told.stdout.strip()
