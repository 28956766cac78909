"""`.venv`, made from the system's Python so that other users can run it, and what is installed there."""

import configparser
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.layout import PACKAGES, PYTHON, ROOT, SYSTEM_PYTHON, VENV
from tools.steps import SetUpError, Step, command, digest, digest_of_files

_PIP = (PYTHON, "-m", "pip", "--disable-pip-version-check", "-q")


def steps(*extras: str) -> Iterator[Step]:
    """The steps for the server itself and the extras of setup.cfg."""
    yield Step("venv", "Python environment .venv", digest(ROOT, _system_python_version()), PYTHON, _make_venv)
    for name in ("run", *extras):
        wanted = requirements(name)
        key = digest(*wanted, ROOT)
        yield Step(f"python-{name}", f"Python packages ({name})", key, PYTHON, partial(_install, name, wanted))
    with_c = ("rsession", "rserver", "rserver_acls")
    compiled = [path for package in with_c for path in ROOT.glob(f"{package}/**/*.[ch]")]
    sources = [*compiled, ROOT / "setup.py", ROOT / "setup.cfg", ROOT / "pyproject.toml"]
    key = digest(digest_of_files(sources), ROOT)
    what = "commands in .venv/bin, the session's C shim, the C parts of proxy and rserver-acls"
    yield Step("install", what, key, VENV / "bin" / "rserver", _install_ourselves)
    yield Step("bytecode", "compiling Python files", _bytecode_key(), PYTHON, _compile)


def requirements(extra: str) -> list[str]:
    """The lines of setup.cfg for `run` or an extra."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    text = parser["options"]["install_requires"] if extra == "run" else parser["options.extras_require"][extra]
    return [line.strip() for line in text.splitlines() if line.strip()]


def _system_python_version() -> str:
    return str(Path(SYSTEM_PYTHON).resolve())


def _make_venv() -> None:
    if VENV.exists() and not _is_ours():
        shutil.rmtree(VENV)
    if not PYTHON.exists():
        command("venv", [SYSTEM_PYTHON, "-m", "venv", VENV])
    command("pip", [*_PIP, "install", "--upgrade", "pip", "setuptools >= 77", "wheel"])


def _is_ours() -> bool:
    try:
        text = (VENV / "pyvenv.cfg").read_text()
    except OSError:
        return False
    return f"venv {VENV}\n" in text and "home = /usr/bin\n" in text


def _install(name: str, wanted: list[str]) -> None:
    command(f"pip-{name}", [*_PIP, "install", *wanted])


def _install_ourselves() -> None:
    compat = ("--config-settings", "editable_mode=compat")
    command("pip-install", [*_PIP, "install", "--no-build-isolation", "--no-deps", *compat, "-e", ROOT])
    if not (VENV / "bin" / "rserver").exists():
        raise SetUpError("pip installed no .venv/bin/rserver; see .make/pip-install.log")


def _python_files() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def _bytecode_key() -> str:
    states = ((path, path.stat()) for path in sorted(_python_files()))
    return digest(*(f"{path} {state.st_size} {state.st_mtime_ns}" for path, state in states))


def _compile() -> None:
    # As bytecode may not be written at run time: by another user's process it cannot be.
    command("compile", [PYTHON, "-m", "compileall", "-q", *(ROOT / package for package in PACKAGES)])
