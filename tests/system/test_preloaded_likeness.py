"""A session that was forked from the template is like one that was executed, down to what its startup files saw."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.accounts import Account
from tests.system.preloading import preloading_server, r_pid, session_of, was_forked
from tests.system.running_server import RunningServer, running_server

pytestmark = [pytest.mark.root, pytest.mark.r]

FACTS = Path(__file__).with_name("process_facts.R")
EXPLAINED = {
    "variable RSTUDIO_CONFIG_DIR": "one server of the test and the other",
    "variable RSTUDIO_SESSION_STREAM": "one session and the other",
    "variable RS_SERVER_URL": "one server and the other",
    "variable RS_SESSION_URL": "one session and the other",
    "variable R_SESSION_TMPDIR": "its end is random",
    "fact shown": "the id of the session",
    "fact heap": "R sizes its heap at its first collection, 0.66 million cells either way, not to the last one",
}
PROFILE = """
setHook(packageEvent("grDevices", "onLoad"),
        function(...) Sys.setenv(HOOK_RAN = paste("hook", is.null(getOption("contrasts")))))
Sys.setenv(PROFILE_SAW = paste(c(search(), getOption("repos"), getOption("editor"), .libPaths(), getOption("device"),
                                 is.null(getOption("str")), commandArgs(), Sys.getlocale(), getwd()), collapse = " "))
options(repos = c(getOption("repos"), MINE = "http://mine"), digits = 9,
        defaultPackages = c(getOption("defaultPackages"), "tools"))
.First <- function() {
  saw <- c(search(), exists("x"), is.null(getOption("str")), tools::toTitleCase("seen"))
  Sys.setenv(FIRST_SAW = paste(saw, collapse = " "))
  tail(letters, 1)
}
cat("profile speaks\\n")
message("and says")
warning("a warning of the profile")
x <- stop("an error of the profile")
Sys.setenv(AFTER_ERROR = "not reached")
"""
ENVIRON = """EDITOR=emacs
MY=${HOME}/x
R_LIBS_USER=~/rlib/%%v
TZ=Europe/Paris
R_HISTSIZE=77
R_PAPERSIZE=letter
R_PROFILE=%s
"""
SITE_PROFILE = """
Sys.setenv(SITE_SAW = paste(c(search(), getOption("repos"), is.null(getOption("str"))), collapse = " "))
.Library.site <- "/nowhere"
"""
LOGIN = """echo chatter of a login script
export FROM_LOGIN=1 PAGER=more LC_TIME=C
umask 027
ulimit -c 0
ulimit -n 777
cd /tmp
"""


@pytest.fixture
def settled(alice: Account) -> Account:
    """An account that uses every file that R and the shell read at their start."""
    files = {".Rprofile": PROFILE, ".bash_profile": LOGIN, "site.R": SITE_PROFILE}
    for name, text in {**files, ".Renviron": ENVIRON % (alice.home / "site.R")}.items():
        (alice.home / name).write_text(text)
    (alice.home / "rlib" / "4.2").mkdir(parents=True)
    code = f'x <- 5; save(x, file = "{alice.home}/.RData")'
    subprocess.run(["R", "--vanilla", "-s", "-e", code], check=True, cwd="/tmp")
    for path in (alice.home, *alice.home.rglob("*")):
        os.chown(path, alice.uid, alice.gid)
    return alice


def _facts(server: RunningServer, account: Account, forked: bool) -> tuple[dict[str, str], str]:
    """What the session says of itself, and what R wrote at its start."""
    visitor, written = session_of(server, account)
    assert was_forked(r_pid(visitor)) == forked
    path = account.home / "facts"
    said = visitor.run(f'Sys.setenv(FACTS = "{path}"); source("{FACTS}")')
    # Each server has a directory of its own.
    text = path.read_text().replace(str(server.directory), "/server")
    facts = dict(line.split("\t", 1) for line in text.splitlines())
    path.unlink()
    visitor.rpc("quit_session")
    return facts, written + said


def test_only_explained_things_differ(settled: Account) -> None:
    with running_server() as server:
        ordinary, written = _facts(server, settled, forked=False)
    with preloading_server() as server:
        preloaded, written_preloaded = _facts(server, settled, forked=True)
    differences = {
        name: (ordinary.get(name), preloaded.get(name))
        for name in ordinary.keys() | preloaded.keys()
        if ordinary.get(name) != preloaded.get(name) and name not in EXPLAINED
    }
    assert differences == {}
    assert written_preloaded == written
    assert len(ordinary) > 150
    assert ordinary["variable FROM_LOGIN"] == "1"
    assert ordinary["variable SITE_SAW"].endswith("TRUE")
    assert ordinary["fact umask"] == "27"
    assert "variable AFTER_ERROR" not in ordinary
