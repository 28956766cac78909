"""The user's login scripts, run beside the process that is the session already; it then takes over what they set."""

import os
import re
import resource
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from rserver_process import kernel_files

_SAID = 9
_PROC = ("stat", "status", "cgroup", "limits")
_REPORT = ("/bin/sh", "-c", f"exec cat /proc/self/environ {' '.join(f'/proc/self/{name}' for name in _PROC)} >&{_SAID}")
_C_LIBRARY_SIGNALS = 3 << 31  # posix_spawn has its child ignore them
_HELD = (signal.SIGUSR1, signal.SIGUSR2)
_CGROUP = re.compile(r"[0-9]+:[^:]*:/")
_NICE = 16
_KEPT = (
    "Uid",
    "Gid",
    "Groups",
    "NoNewPrivs",
    "Seccomp",
    "Cpus_allowed",
    "SigBlk",
    "SigIgn",
    "CapInh",
    "CapPrm",
    "CapBnd",
)
_LIMITS = {
    "Max cpu time": resource.RLIMIT_CPU,
    "Max file size": resource.RLIMIT_FSIZE,
    "Max data size": resource.RLIMIT_DATA,
    "Max stack size": resource.RLIMIT_STACK,
    "Max core file size": resource.RLIMIT_CORE,
    "Max resident set": resource.RLIMIT_RSS,
    "Max processes": resource.RLIMIT_NPROC,
    "Max open files": resource.RLIMIT_NOFILE,
    "Max locked memory": resource.RLIMIT_MEMLOCK,
    "Max address space": resource.RLIMIT_AS,
    "Max pending signals": resource.RLIMIT_SIGPENDING,
    "Max msgqueue size": resource.RLIMIT_MSGQUEUE,
    "Max nice priority": resource.RLIMIT_NICE,
    "Max realtime priority": resource.RLIMIT_RTPRIO,
    "Max realtime timeout": resource.RLIMIT_RTTIME,
}


class OtherProcess(Exception):
    """The login scripts made of their process what ours cannot become; the text names it."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What a program inherits when it is executed.

    limits: soft and hard ones as the kernel writes them. kept: what no other process can take over.
    """

    umask: int
    limits: Mapping[str, tuple[str, str]]
    kept: Mapping[str, str]


class LoginShell:
    """The login shell of the session, running."""

    def __init__(self, run_script: str, environment: Mapping[str, str]) -> None:
        # The run script does the same where it ends; until then the scripts of the user have them as ever.
        for number in _HELD:
            signal.signal(number, signal.SIG_IGN)
        self._before = process_state("".join(kernel_files.read(f"/proc/self/{name}") for name in _PROC))
        self._said = os.memfd_create("login", os.MFD_CLOEXEC)
        argv = ("/bin/sh", run_script, *_REPORT)
        actions = [(os.POSIX_SPAWN_DUP2, self._said, _SAID)]
        self._pid = os.posix_spawn(argv[0], argv, environment, file_actions=actions, setsigdef=_HELD)

    def adopt(self) -> dict[str, str]:
        """Wait for its end; take over working directory, umask and limits; the environment that it left.

        OtherProcess when that is not all, or when it did not come to its end.
        """
        _, status = os.waitpid(self._pid, 0)
        # What a login script left running may hold the file open and write: only what is there by now counts.
        size = os.fstat(self._said).st_size
        content = os.pread(self._said, size, 0).decode("utf-8", "surrogateescape")
        os.close(self._said)
        variables, separator, text = content.rpartition("\0")
        if status or not separator:
            raise OtherProcess("the login shell did not come to its end")
        after = process_state(text)
        environ = dict(variable.split("=", 1) for variable in variables.split("\0") if "=" in variable)
        _check_same(self._before.kept, after.kept)
        _enter(environ.get("PWD", ""))
        os.umask(after.umask)
        _set_limits(self._before.limits, after.limits)
        return environ


def process_state(text: str) -> ProcessState:
    """From the files stat, status, cgroup and limits of a process, one after the other."""
    lines = text.splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    kept = {name: status.get(name, "").strip() for name in _KEPT}
    kept["SigIgn"] = f"{int(kept['SigIgn'], 16) & ~_C_LIBRARY_SIGNALS:x}"
    kept["priority"] = lines[0].rpartition(")")[2].split()[_NICE]
    kept["control groups"] = " ".join(line for line in lines if _CGROUP.match(line))
    limits = {
        line[:26].strip(): (line[26:47].strip(), line[47:68].strip()) for line in lines if line.startswith("Max ")
    }
    return ProcessState(int(status["Umask"], 8), limits, kept)


def _check_same(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    for name, value in before.items():
        if after[name] != value:
            raise OtherProcess(f"the login scripts changed {name}")


def _enter(directory: str) -> None:
    try:
        if directory and not os.path.samefile(directory, "."):
            os.chdir(directory)
    except OSError as error:
        raise OtherProcess(f"the login shell is in {directory}: {error.strerror}") from None


def _set_limits(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> None:
    for name, number in _LIMITS.items():
        if name in after and after[name] != before.get(name):
            soft, hard = (resource.RLIM_INFINITY if text == "unlimited" else int(text) for text in after[name])
            resource.setrlimit(number, (soft, hard))
