"""Becoming another account, and what is left of the former one: nothing."""

import os
import resource
from pathlib import Path

import pytest

from rserver_process.descriptors import close_all_but, null_on
from rserver_process.privileges import become, not_dumpable
from tests.rserver_process.forked import in_child
from tests.system.accounts import Account


def status() -> dict[str, str]:
    """/proc/self/status as a table."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.root
def test_every_trace_of_root_is_gone(user: Account) -> None:
    """All four uids and gids, groups and capabilities; umask as told."""

    def drop() -> tuple[dict[str, str], int]:
        become(user.uid, user.uid, [user.uid, 50], no_new_privs=False, umask=0o027)
        return status(), os.umask(0)

    seen, umask = in_child(drop)
    assert seen["Uid"].split() == [str(user.uid)] * 4
    assert seen["Gid"].split() == [str(user.uid)] * 4
    assert sorted(seen["Groups"].split()) == sorted(["50", str(user.uid)])
    assert {seen[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0000000000000000"}
    assert seen["NoNewPrivs"] == "0"
    assert umask == 0o027


@pytest.mark.root
@pytest.mark.parametrize("way", ["setuid", "setgid", "seteuid", "setgroups", "chown", "read_shadow"])
def test_nothing_can_be_regained(user: Account, way: str) -> None:
    """Each way back is closed."""

    def attempt() -> None:
        become(user.uid, user.uid, [], no_new_privs=True)
        attempts = {
            "setuid": lambda: os.setuid(0),
            "setgid": lambda: os.setgid(0),
            "seteuid": lambda: os.seteuid(0),
            "setgroups": lambda: os.setgroups([0]),
            "chown": lambda: os.chown("/etc/hostname", user.uid, -1),
            "read_shadow": lambda: Path("/etc/shadow").read_text(),
        }
        attempts[way]()  # type: ignore[no-untyped-call]

    with pytest.raises(RuntimeError, match="PermissionError"):
        in_child(attempt)


@pytest.mark.root
def test_no_new_privs_is_set_on_request(user: Account) -> None:
    """So that no setuid program helps either."""

    def drop() -> str:
        become(user.uid, user.uid, [], no_new_privs=True)
        return status()["NoNewPrivs"]

    assert in_child(drop) == "1"


@pytest.mark.root
def test_memory_of_the_former_root_process_is_closed(user: Account) -> None:
    """Its /proc entries belong to root until exec, so the user cannot attach a debugger."""

    def drop() -> int:
        become(user.uid, user.uid, [], no_new_privs=False)
        return os.stat("/proc/self/mem").st_uid

    assert in_child(drop) == 0


@pytest.mark.root
def test_root_is_no_account_to_become() -> None:
    """Neither as uid, nor by a group."""
    with pytest.raises(RuntimeError, match="PrivilegesKept"):
        in_child(lambda: become(0, 0, [], no_new_privs=False))
    with pytest.raises(RuntimeError, match="PrivilegesKept"):
        in_child(lambda: become(65534, 65534, [0], no_new_privs=False))


@pytest.mark.root
def test_descriptors_are_closed_but_those_to_keep(user: Account) -> None:
    """Also high numbers and gaps."""

    def drop() -> set[int]:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
        for number in (100, 500, 1500):
            os.dup2(0, number)
        become(user.uid, user.uid, [], no_new_privs=False, keep_fds={0, 1, 2, 500, 900})
        return {fd for fd in map(int, os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{fd}")}

    assert in_child(drop) == {0, 1, 2, 500, 900}


def test_close_all_but_keeps_zero() -> None:
    """closerange(0, 0) means everything to the kernel."""

    def close() -> list[bool]:
        close_all_but({0, 900})
        return [os.path.exists(f"/proc/self/fd/{fd}") for fd in (0, 1, 900)]

    assert in_child(close) == [True, False, True]


def test_null_on_descriptors_that_were_closed() -> None:
    """It may itself be opened as one of them; a child gets them."""

    def close() -> list[tuple[str, bool]]:
        close_all_but({900})
        null_on(0, 1, 2)
        return [(os.readlink(f"/proc/self/fd/{fd}"), os.get_inheritable(fd)) for fd in (0, 1, 2)]

    assert in_child(close) == [("/dev/null", True)] * 3


def test_not_dumpable() -> None:
    """What the kernel says afterwards."""

    def read_back() -> int:
        import ctypes

        not_dumpable()
        return int(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))

    assert in_child(read_back) == 0


@pytest.mark.root
def test_without_root_only_ourselves(user: Account, stranger: Account) -> None:
    """Single-user mode changes nothing and refuses to pretend."""

    def twice(uid: int) -> None:
        become(user.uid, user.uid, [], no_new_privs=False)
        become(uid, uid, [uid], no_new_privs=True)

    in_child(lambda: twice(user.uid))
    with pytest.raises(RuntimeError, match="PrivilegesKept"):
        in_child(lambda: twice(stranger.uid))
