"""Several R versions on one server, with a second real R of another version and real accounts."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rserver_core.r_scan import find_installation
from tests.apt import SourceUnavailableError
from tests.other_r import VERSION, other_r
from tests.rserver.worker_process import wait_until
from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.test_many_sessions import create, listed, ready, signed_in
from tests.system.visitor import Answer, Visitor

pytestmark = [pytest.mark.root, pytest.mark.r]

OWN = find_installation("", os.environ["PATH"])
MODULES = """\
module() {
    [ "$1" = load ] && [ "$2" = other/1 ] || { echo "module: $2 is not known" >&2; return 1; }
    export PATH="%s/bin:$PATH" LOADEDMODULES="$2" FROM_MODULE=yes
}
"""
MOUNTED = """\
mount -t tmpfs none /opt && mkdir -p /opt/R/4.0-old /opt/R/empty && mount --bind {other} /opt/R/4.0-old && exec "$@"
"""
R_VERSIONS = """\
Path: {other}
Label: Old one
Script: {folder}/start.sh
Repo: https://cran.example.org/old
Library: {folder}/site

Path: {other}
Label: Repositories
Repo: {folder}/repos.conf

Label: By module
Module: other/1

Path: {other}
Label: Broken module
Module: missing/2

Path: {other}
Label: Broken script
Script: {folder}/broken.sh

Path: /nowhere/R
Label: Nowhere
"""


@pytest.fixture(scope="module")
def other() -> Path:
    """The home of an R 4.0.4."""
    try:
        return other_r()
    except SourceUnavailableError as error:
        pytest.skip(f"no second R: {error}")


@pytest.fixture(scope="module")
def r_server(other: Path) -> Iterator[RunningServer]:
    """A server with this machine's R and one record of each kind."""
    files = {
        "r-versions": R_VERSIONS.format(other=other, folder="{conf}"),
        "start.sh": 'export FROM_SCRIPT="module=$FROM_MODULE profile=$FROM_PROFILE bash=${BASH_VERSION:+yes}"\n',
        "broken.sh": "echo the license server is away >&2\nfalse\n",
        "repos.conf": "Internal=https://r.example.org/internal\nCRAN=https://cran.example.org\n",
        "modules.sh": MODULES % other,
        "rsession-profile": "export FROM_PROFILE=site\n",
        "site/nothing": "",
    }
    with running_server(
        files=files, modules_bin_path="{conf}/modules.sh", rsession_ld_library_path="/opt/blas"
    ) as made:
        yield made


@pytest.fixture
def visitor(r_server: RunningServer, alice: Account) -> Visitor:
    return signed_in(r_server, alice)


def value(session: Visitor, code: str) -> str:
    """What R shows for code that gives one text."""
    shown = session.run(f"cat('<', {code}, '>', sep = '')")
    match = re.search(r"<([^<>']*)>\s*$", shown.rstrip().removesuffix("cat"), re.DOTALL)
    assert match, shown
    return match[1]


def of(session: Visitor) -> dict[str, Any]:
    return listed(session)[session.session_path]


def versions(visitor: Visitor) -> dict[str, Any]:
    found: dict[str, Any] = visitor.get("/api/r-versions").json()
    return found


def suspend(session: Visitor) -> None:
    assert session.rpc("suspend_session", False)["suspended"]
    wait_until(lambda: of(session)["state"] == "suspended", 20)


def choose(session: Visitor, r_version: str) -> Answer:
    """Which R from the next start on."""
    session_id = session.session_path.strip("/").removeprefix("s/")
    headers = {"X-RS-CSRF-Token": session.cookies["rs-csrf-token"]}
    return session.request(
        "PATCH", f"/api/sessions/{session_id}", json.dumps({"r_version": r_version}).encode(), headers
    )


def test_every_version_is_listed_and_one_that_is_nowhere_is_a_warning(
    r_server: RunningServer, visitor: Visitor, other: Path
) -> None:
    found = versions(visitor)
    assert [item["title"] for item in found["versions"]] == [
        f"R {OWN.version}",
        f"R {VERSION} (Old one)",
        f"R {VERSION} (Repositories)",
        f"R {VERSION} (Broken module)",
        f"R {VERSION} (Broken script)",
        "By module",
    ]
    assert found["default"] == f"{OWN.version}|{OWN.home}"
    assert found["versions"][1] == {
        "id": f"{VERSION}|{other}|Old one",
        "title": f"R {VERSION} (Old one)",
        "version": VERSION,
        "home": str(other),
        "label": "Old one",
        "module": None,
    }
    assert "this R is not offered: there is no folder /nowhere/R" in r_server.log
    page = visitor.get("/home").body.decode()
    assert f'value="{VERSION}|{other}|Old one">R {VERSION} (Old one)</option>' in page


def test_a_session_runs_the_chosen_version_with_all_that_its_record_says(visitor: Visitor, other: Path) -> None:
    session = create(visitor, r_version="Old one")
    ready(session)
    conf = Path(value(session, "Sys.getenv('RSTUDIO_CONFIG_DIR')"))
    assert value(session, "as.character(getRversion())") == VERSION
    assert value(session, "R.home()") == str(other)
    assert value(session, "getOption('repos')[['CRAN']]") == "https://cran.example.org/old"
    assert value(session, "Sys.getenv('FROM_SCRIPT')") == "module= profile=site bash=yes"
    assert value(session, "normalizePath(.libPaths())[1]") == str(conf / "site")
    assert value(session, "any(endsWith(.libPaths(), '/site-library'))") == "TRUE"
    folders = value(session, "Sys.getenv('LD_LIBRARY_PATH')").split(":")
    assert (folders[0], folders[-1]) == (f"{other}/lib", "/opt/blas")
    left = value(session, "toString(grep('^RS_R|^R_PROFILE|^RS_MODULES', names(Sys.getenv()), value = TRUE))")
    assert left == ""
    assert value(session, "summary(lm(dist ~ speed, cars))$r.squared") == "0.6510794"
    item = of(session)
    assert (item["r_version"], item["r_key"], item["r_note"]) == (VERSION, f"{VERSION}|{other}|Old one", None)
    assert f"{VERSION} (Old one)" in visitor.get("/home").body.decode()


def test_a_file_of_repositories_counts_also_without_profiles(visitor: Visitor) -> None:
    session = create(visitor, r_version="Repositories", safe_start=True)
    ready(session)
    assert value(session, "paste(names(getOption('repos')), getOption('repos'), collapse = ' ')") == (
        "Internal https://r.example.org/internal CRAN https://cran.example.org"
    )


def test_a_users_profile_may_set_other_repositories(visitor: Visitor, alice: Account) -> None:
    (alice.home / ".Rprofile").write_text("options(repos = c(getOption('repos'), Mine = 'https://mine.example'))\n")
    session = create(visitor, r_version="Repositories")
    ready(session)
    assert value(session, "toString(names(getOption('repos')))") == "Internal, CRAN, Mine"


def test_a_module_brings_its_r(visitor: Visitor, other: Path) -> None:
    session = create(visitor, r_version="By module")
    ready(session)
    assert value(session, "as.character(getRversion())") == VERSION
    assert value(session, "R.home()") == str(other)
    assert value(session, "Sys.getenv('FROM_MODULE')") == "yes"
    assert of(session)["r_key"] == "||By module"


@pytest.mark.parametrize(
    ("label", "sentence", "words"),
    [
        (
            "Broken module",
            "The environment module of this R version could not be loaded.",
            "module: missing/2 is not known",
        ),
        ("Broken script", "The start script of this R version failed.", "the license server is away"),
    ],
)
def test_a_module_or_script_that_fails_is_explained(visitor: Visitor, label: str, sentence: str, words: str) -> None:
    session = create(visitor, r_version=label)
    error = session.rpc_answer("client_init")["error"]
    assert error["message"].startswith(sentence)
    assert words in error["session"]["stderr_tail"]
    assert "rsession-run: " in error["session"]["stderr_tail"]


def test_a_suspended_session_comes_back_with_another_version(visitor: Visitor, alice: Account, other: Path) -> None:
    """Objects are there, library paths are those of the new R, and sentences tell it."""
    session = create(visitor, r_version=f"{OWN.version}")
    ready(session)
    for line in (
        "x <- 1:10",
        "f <- function(n) if (n < 2) 1 else n * f(n - 1)",
        "m <- lm(dist ~ speed, cars)",
        "options(mine = 5)",
    ):
        session.run(line)
    suspend(session)
    changed = choose(session, f"{VERSION}|{other}|Old one")
    assert (changed.status, changed.json()["r_wish"]) == (200, f"{VERSION}|{other}|Old one")
    assert f"from the next start {VERSION} (Old one)" in visitor.get("/home").body.decode()
    session.init()
    session.seen = 0
    told = session.wait_for(lambda event: event["type"] == "show_message" and "saved by R" in event["data"]["text"])
    assert f"saved by R {OWN.version}" in told[-1]["data"]["text"]
    ready(session)
    assert value(session, "as.character(getRversion())") == VERSION
    assert value(session, "sum(x), f(5), getOption('mine'), round(coef(m)[[2]], 3)") == "5512053.932"
    assert value(session, "all(startsWith(.libPaths(), .libPaths()[1]) | startsWith(.libPaths(), R.home()))") == "TRUE"
    suspend(session)
    choose(session, OWN.version)
    ready(session)
    assert value(session, "as.character(getRversion()), ' ', sum(x), f(5)") == f"{OWN.version} 55120"


def make_project(alice: Account, r_version: str) -> str:
    """A folder in the home whose .Rproj wishes that."""
    folder = alice.home / "work"
    folder.mkdir()
    text = "Version: 1.0\n" + (f"RVersion: {r_version}\n" if r_version else "")
    (folder / "work.Rproj").write_text(text)
    for path in (folder, folder / "work.Rproj"):
        os.chown(path, alice.uid, alice.gid)
    return str(folder)


def messages(session: Visitor) -> list[str]:
    """What the session has told since it began."""
    session.seen = 0
    session.rpc("console_input", "invisible()", "")
    found = session.wait_for(lambda event: event["type"] == "console_write_input")
    return [event["data"]["text"] for event in found if event["type"] == "show_message"]


def test_a_project_gets_the_version_that_it_wishes(visitor: Visitor, alice: Account, other: Path) -> None:
    project = make_project(alice, VERSION)
    session = create(visitor, project=project)
    ready(session)
    assert value(session, "as.character(getRversion())") == VERSION
    wait_until(lambda: of(session)["r_version"] == VERSION)
    assert of(session)["r_key"] == f"{VERSION}|{other}|Old one"
    assert of(session)["r_note"] is None
    folders = value(session, "Sys.getenv('LD_LIBRARY_PATH')").split(":")
    assert folders[0] == f"{other}/lib"
    assert folders[-1] == "/opt/blas"
    assert f"{OWN.home}/lib" not in folders
    assert value(session, "Sys.getenv('FROM_SCRIPT')") == "module= profile=site bash=yes"


def test_a_project_that_wishes_nothing_gets_what_it_ran_last(visitor: Visitor, alice: Account) -> None:
    project = make_project(alice, "")
    first = create(visitor, project=project, r_version="Repositories")
    ready(first)
    second = create(visitor, project=project)
    ready(second)
    assert value(second, "as.character(getRversion())") == VERSION
    assert value(second, "Sys.getenv('RSTUDIO_R_VERSION_LABEL')") == "Repositories"


def test_a_choice_for_the_session_goes_before_the_projects(visitor: Visitor, alice: Account) -> None:
    session = create(visitor, project=make_project(alice, VERSION), r_version=OWN.version)
    ready(session)
    assert value(session, "as.character(getRversion())") == OWN.version


def test_a_wish_that_cannot_be_met_is_told_in_the_session_and_on_the_list(visitor: Visitor, alice: Account) -> None:
    """4.0.2 is not there: 4.0.4 has the same major.minor."""
    session = create(visitor, project=make_project(alice, "4.0.2"))
    ready(session)
    note = f"The project wants R 4.0.2, which is not on this server; this session runs R {VERSION} (Old one) instead."
    assert messages(session) == [note]
    wait_until(lambda: of(session)["r_note"] == note)
    assert note in visitor.get("/home").body.decode()


def test_ones_own_default_counts_for_new_sessions_and_less_than_the_project(visitor: Visitor, alice: Account) -> None:
    headers = {"X-RS-CSRF-Token": visitor.cookies["rs-csrf-token"]}
    wanted = json.dumps({"r_version": "Repositories"}).encode()
    answer = visitor.request("PUT", "/api/r-versions/default", wanted, headers)
    assert answer.json()["default"].endswith("|Repositories")
    plain = create(visitor)
    ready(plain)
    assert value(plain, "Sys.getenv('RSTUDIO_R_VERSION_LABEL')") == "Repositories"
    inside = create(visitor, project=make_project(alice, OWN.version))
    ready(inside)
    assert value(inside, "as.character(getRversion())") == OWN.version
    assert value(inside, "Sys.getenv('RSTUDIO_R_VERSION_LABEL'), Sys.getenv('RSTUDIO_R_REPO')") == ""


def test_reload_and_restart(other: Path, alice: Account) -> None:
    """The list changes with the file, sessions that run stay, and one's own default is still there afterwards."""
    with running_server(files={"r-versions": ""}) as server:
        visitor = signed_in(server, alice)
        assert [item["version"] for item in versions(visitor)["versions"]] == [OWN.version]
        running = create(visitor)
        pid = ready(running)
        (server.directory / "conf" / "r-versions").write_text(f"Path: {other}\nLabel: New\n")
        os.kill(server.master_pid, signal.SIGHUP)
        server.wait_for_line(re.compile(rf"R versions: R {OWN.version} .*, R {VERSION} \(New\)"))
        assert [item["label"] for item in versions(visitor)["versions"]] == [None, "New"]
        assert ready(running) == pid
        cached = json.loads((server.lib_dir / "db" / "r-versions").read_text())
        assert [item["version"] for item in cached["versions"]] == [OWN.version, VERSION]
        (server.directory / "conf" / "r-versions").write_text("Path: nonsense\n")
        os.kill(server.master_pid, signal.SIGHUP)
        server.wait_for_line(re.compile("the configuration was not reloaded: .*r-versions:1: Path: expected"))
        assert [item["label"] for item in versions(visitor)["versions"]] == [None, "New"]


def test_an_r_below_opt_is_found(other: Path, alice: Account) -> None:
    """In a mount namespace, so that no other server of this machine sees it."""
    with running_server(prefix=["unshare", "--mount", "sh", "-c", MOUNTED.format(other=other), "sh"]) as server:
        visitor = signed_in(server, alice)
        found = versions(visitor)["versions"]
        assert [item["id"] for item in found] == [f"{OWN.version}|{OWN.home}", f"{VERSION}|/opt/R/4.0-old"]
        session = create(visitor, r_version=VERSION)
        ready(session)
        assert value(session, "R.home()") == "/opt/R/4.0-old"


def test_with_preloaded_sessions_each_version_is_itself(other: Path, alice: Account) -> None:
    """What must be known before R starts is never forked; another version has a process of its own to fork from."""
    records = (
        f"Path: {other}\nLabel: Old\n\nPath: {other}\nLabel: Site\nLibrary: {{conf}}/site\nRepo: https://r.example\n"
    )
    with running_server(files={"r-versions": records, "site/x": ""}, rsession_preload="1") as server:
        visitor = signed_in(server, alice)
        for label in ("Old", "Old", "Site"):
            session = create(visitor, r_version=label)
            ready(session)
            assert value(session, "as.character(getRversion())") == VERSION
            assert value(session, "R.home()") == str(other)
            assert value(session, "Sys.getenv('RSTUDIO_R_VERSION_LABEL')") == label
        assert value(session, "getOption('repos')[['CRAN']]") == "https://r.example"
        assert value(session, "basename(.libPaths()[1])") == "site"
        plain = create(visitor)
        ready(plain)
        assert value(plain, "as.character(getRversion())") == OWN.version
        project = create(visitor, project=make_project(alice, VERSION))
        ready(project)
        assert value(project, "as.character(getRversion())") == VERSION
