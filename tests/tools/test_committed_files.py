"""What is committed names no registry, no machine and no secret, and the generated files are up to date."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.layout import PACKAGES, ROOT
from tools.python_env import requirements

_PLACES = re.compile(
    r"/root/|/home/(?!ann|user|USER|\$)[a-z]+/|://(registry|deb|security|pypi|files|packages|mirrors?)\.|_authToken|proxy=http"
)
_NO_TEXT = {".png", ".so", ".ico", ".woff2", ".lock"}


def committed() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_no_registry_no_machine_path() -> None:
    configuration = [path for path in committed() if "tests" not in path.parts and path.suffix not in _NO_TEXT]
    found = [path.relative_to(ROOT) for path in configuration if _PLACES.search(path.read_text(errors="replace"))]
    assert found == []


@pytest.fixture
def lock() -> dict[str, Any]:
    path = ROOT / "ide" / "package-lock.json"
    if not path.exists():
        pytest.skip("there is no web page in this checkout")
    content: dict[str, Any] = json.loads(path.read_text())["packages"]
    return content


def test_lock_file_has_no_download_addresses(lock: dict[str, Any]) -> None:
    assert [name for name, package in lock.items() if "resolved" in package] == []


def test_lock_file_knows_the_packages_of_every_platform(lock: dict[str, Any]) -> None:
    """`npm ci` refuses a lock file that was written where some of them could not be looked up."""
    optional = {name for package in lock.values() for name in package.get("optionalDependencies", {})}
    assert {name for name in optional if f"node_modules/{name}" not in lock} == set()


def test_every_library_has_its_licence_told() -> None:
    told = (ROOT / "docs" / "explanation" / "licences.md").read_text().lower()
    names = [re.split(r"[\s><=]", line)[0].lower() for line in requirements("run")]
    assert [name for name in names if name not in told] == []


def test_generated_files_are_what_their_tables_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools", "generate", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_only_app_modules_name_the_reactor() -> None:
    pattern = re.compile(r"twisted\.internet import (\(|.*\b)reactor\b|twisted\.internet\.reactor")
    named = {
        path.name for package in PACKAGES for path in (ROOT / package).rglob("*.py") if pattern.search(path.read_text())
    }
    assert named <= {"app.py"}
