"""Tests run once more in a guest system (user-mode Linux): what the machine's own kernel was not set up for.

The guest sees this machine's files, read only; what tests write goes to its own memory.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.system.running_server import ROOT

PROGRAM = shutil.which("linux.uml")
SYSTEMD = Path("/lib/systemd/systemd")
SECONDS = 900
_EXIT = "the tests ended with "
_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /var/log
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
ip link set lo up
mkdir /run/etc /run/checkout
cp -a /etc/. /run/etc
mount --bind /run/etc /etc
mount --bind {root} /run/checkout
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p {root}
mount --bind /run/checkout {root}
cat > /run/tests.sh <<'END'
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1
cd {root}
.venv/bin/python -m pytest -q --color=no -p no:cacheprovider --basetemp=/run/tests {tests} 2>&1
echo "{exit}$?"
echo o > /proc/sysrq-trigger
sleep 60
END
{begin}
"""
_SERVICE = """cat > /etc/systemd/system/tests.service <<END
[Service]
Type=oneshot
Delegate=yes
ExecStart=/bin/sh /run/tests.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/tty0
END
printf '[Unit]\\nWants=tests.service\\n' > /etc/systemd/system/tests.target
exec {systemd} --unit=tests.target --log-target=console --show-status=no
"""


def run_in_guest(prepare: str, tests: Sequence[str]) -> tuple[int, str]:
    """Exit code of pytest on these tests, or options, and what was on the console. prepare: shell commands before."""
    return _run(f"{prepare}\nexec /bin/sh /run/tests.sh", tests)


def run_as_service(tests: Sequence[str]) -> tuple[int, str]:
    """The same in a service of a real systemd, which hands it a delegated control group."""
    return _run(_SERVICE.format(systemd=SYSTEMD), tests)


def _run(begin: str, tests: Sequence[str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory(prefix="rst-guest-") as folder:
        init = Path(folder, "init")
        init.write_text(_INIT.format(root=ROOT, begin=begin, tests=" ".join(tests), exit=_EXIT))
        init.chmod(0o755)
        console = _boot(init)
    _, found, code = console.partition(_EXIT)
    assert found, console[-5000:]
    return int(code.split()[0]), console


def _boot(init: Path) -> str:
    assert PROGRAM
    root = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"]
    argv = [PROGRAM, "mem=2048M", *root, "quiet", "con=null", "con0=fd:0,fd:1", f"init={init}"]
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    return done.stdout
