"""The files that RStudio's tools read about a session."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from rsession.ending import Ending
from rsession.services.session_properties import FLUSH_SECONDS, SessionProperties
from tests.rsession.running import RunningSession, evaluate, ready


def at_once(function: Any, *args: Any, **kwargs: Any) -> "Deferred[Any]":
    return maybeDeferred(function, *args, **kwargs)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {}


def test_changes_are_written_together_and_later(tmp_path: Path) -> None:
    clock = Clock()
    session = cast("Any", SimpleNamespace(clock=clock, project=None, has_ended=False, ending=Ending()))
    properties = SessionProperties(session, tmp_path / "properites", at_once)
    properties.begin("/usr/lib/R", "4.2.2")
    assert contents(tmp_path / "properites") == {}
    clock.advance(FLUSH_SECONDS)
    written = contents(tmp_path / "properites")
    assert written["r-version-home"] == "/usr/lib/R"
    assert (written["executing"], written["initial"], written["project"]) == ("0", "1", "none")
    properties.typed()
    clock.advance(FLUSH_SECONDS)
    assert contents(tmp_path / "properites")["executing"] == "1"
    properties.typed()
    properties.prompted()
    clock.advance(FLUSH_SECONDS)
    assert contents(tmp_path / "properites")["executing"] == "0"
    assert clock.getDelayedCalls() == []


@pytest.mark.root
def test_a_full_disk_leaves_no_part_and_they_are_written_with_the_next_change(tmp_path: Path) -> None:
    clock, disk = Clock(), tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    try:
        session = cast("Any", SimpleNamespace(clock=clock, project=None, has_ended=False, ending=Ending()))
        properties = SessionProperties(session, disk / "properites", at_once)
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            (disk / "properites").mkdir()
            while True:
                file.write(bytes(4096))
        properties.begin("/usr/lib/R", "4.2.2")
        clock.advance(FLUSH_SECONDS)
        assert not list((disk / "properites").iterdir())
        ballast.unlink()
        properties.typed()
        clock.advance(FLUSH_SECONDS)
        written = contents(disk / "properites")
        assert (written["executing"], written["r-version"]) == ("1", "4.2.2")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.r
def test_they_tell_that_a_session_is_suspended_and_go_when_it_is_quit() -> None:
    with RunningSession() as session:
        folder = session.home / ".local/share/rstudio/sessions/active/session-def01234/properites"
        before = int(time.time() * 1000)
        stream = ready(session)
        evaluate(session, stream, "dir.create('work'); setwd('work')")
        session.call("suspend_session")
        stream.wait_for_close()
        assert session.process is not None
        session.process.wait(10)
        written = contents(folder)
        assert (written["running"], written["activity_state"]) == ("0", "suspended")
        assert before <= int(written["created"]) <= int(written["suspend_timestamp"]) <= time.time() * 1000
        assert written["working-dir"] == "~/work"
        assert folder.stat().st_mode & 0o777 == 0o700
        session.launch()
        stream = ready(session)
        session.type("q('no')")
        stream.wait_for_close()
        assert session.process.wait(10) == 0
        assert not folder.exists()
        assert os.listdir(session.home / ".local/share/rstudio/sessions/active") == []
