"""Where the programs run from.

Sessions run as other users, who must be able to read the programs. Where they cannot read the checkout, a copy in
/opt/rserver is used.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from tools.layout import PACKAGES, ROOT
from tools.steps import SetUpError, say

TARGET = Path("/opt/rserver")
_MARK = ".copied-from"
_NOT_COPIED = {".git", ".venv", ".make", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def is_readable_by_all(root: Path = ROOT) -> bool:
    """True when every user can reach and read the programs below root."""
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in (root, *root.parents)):
        return False
    return all(path.stat().st_mode & stat.S_IROTH for package in PACKAGES for path in (root / package).rglob("*"))


def copy_to_target(root: Path = ROOT, target: Path = TARGET) -> None:
    """Bring target up to date with the checkout and make it readable; what is only there (.venv, stamps) stays."""
    mark = target / _MARK
    if target.exists() and not mark.exists():
        raise SetUpError(f"{root} cannot be read by other users, and {target} is not ours to write")
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    mark.write_text(f"{root}\n")
    wanted = set(_files(root))
    for path in set(_files(target)) - wanted - {Path(_MARK)}:
        (target / path).unlink()
    changed = [path for path in wanted if _differs(root / path, target / path)]
    if changed:
        say(f"{root} cannot be read by other users: {len(changed)} files copied to {target}")
    for path in changed:
        _copy(root / path, target / path)


def _files(root: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _NOT_COPIED and not _is_built(root, directory, name)]
        yield from (Path(directory, name).relative_to(root) for name in files if not name.endswith(".so"))


def _is_built(root: Path, directory: str, name: str) -> bool:
    return name.endswith(".egg-info") or Path(directory, name).relative_to(root) in {Path("build"), Path("ide/dist")}


def _differs(source: Path, copy: Path) -> bool:
    if not copy.exists():
        return True
    ours, theirs = source.stat(), copy.stat()
    return (ours.st_size, ours.st_mtime_ns) != (theirs.st_size, theirs.st_mtime_ns)


def _copy(source: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    aside = copy.with_name(f".{copy.name}.new")
    shutil.copy2(source, aside)
    aside.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)
    aside.rename(copy)
