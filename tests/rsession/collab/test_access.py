"""Whether somebody may edit a file: the kernel itself is asked for comparison."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsession.collab.access import may_edit
from tests.system.accounts import Account, account

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def people() -> Iterator[tuple[Account, Account]]:
    with account("cola") as owner, account("colb") as other:
        subprocess.run(["usermod", "-a", "-G", owner.name, other.name], check=True)
        yield owner, other


def kernel_says(path: Path, who: Account) -> bool:
    script = "import sys; open(sys.argv[1], 'r+b')"
    command = ["setpriv", f"--reuid={who.uid}", f"--regid={who.gid}", "--init-groups", "/usr/bin/python3", "-c", script]
    return subprocess.run([*command, str(path)], capture_output=True, check=False, cwd="/").returncode == 0


def test_as_the_kernel_whatever_bits_and_acls_say(people: tuple[Account, Account]) -> None:
    owner, other = people
    chance = random.Random(7)
    owner.home.chmod(0o711)
    seen = set()
    for number in range(60):
        folder = owner.home / f"folder{number}"
        folder.mkdir()
        file = folder / "a.R"
        file.write_text("x")
        for path in (folder, file):
            subprocess.run(["chown", f"{owner.name}:{chance.choice([owner.name, 'root'])}", path], check=True)
            path.chmod(chance.choice([0o700, 0o750, 0o770, 0o777, 0o707, 0o600, 0o666, 0o660, 0o606, 0o676, 0o767]))
            if chance.random() < 0.7:
                entries = [
                    f"u:{other.name}:{chance.choice(['---', 'rw-', 'rwx', 'r-x', '--x'])}",
                    f"g:{other.name}:{chance.choice(['---', 'rw-', 'rwx'])}",
                    f"m:{chance.choice(['rwx', 'r-x', 'rw-', '---'])}",
                ]
                chosen = chance.sample(entries, chance.randint(1, 3))
                subprocess.run(["setfacl", "-m", ",".join(chosen), path], check=True)
        answer = may_edit(str(file), other.name)
        assert answer == kernel_says(file, other), subprocess.run(
            ["getfacl", "-p", folder, file], capture_output=True, text=True, check=True
        ).stdout
        seen.add(answer)
    assert seen == {True, False}


def test_nobody_and_nothing(people: tuple[Account, Account], tmp_path: Path) -> None:
    owner, other = people
    file = owner.home / "b.R"
    file.write_text("x")
    file.chmod(0o666)
    owner.home.chmod(0o711)
    assert may_edit(str(file), other.name)
    assert not may_edit(str(file), "no-such-account-here")
    assert not may_edit(str(owner.home), other.name)
    assert not may_edit(str(file) + ".missing", other.name)
    owner.home.chmod(0o700)
    assert not may_edit(str(file), other.name)
