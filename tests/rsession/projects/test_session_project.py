"""A real session of a project: what it obeys, what it keeps and where."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsession.projects.rproj import DEFAULT
from tests.rsession.running import DEADLINE, RunningSession, evaluate, ready

pytestmark = pytest.mark.r


class ProjectSession(RunningSession):
    """A session that is opened in `~/my project`; rproj: its file, None: there is none."""

    def __init__(self, rproj: str | None = DEFAULT, *arguments: str) -> None:
        super().__init__()
        self.project = self.home / "my project"
        self._rproj = rproj
        self._arguments = [f"--project={self.project}", *arguments]

    def __enter__(self) -> "ProjectSession":
        self.project.mkdir(parents=True)
        if self._rproj is not None:
            (self.project / "my project.Rproj").write_text(self._rproj)
        super().__enter__()
        return self

    @property
    def state(self) -> Path:
        """The user's state folder."""
        return self.home / ".local/share/rstudio"


@pytest.fixture
def at_home() -> Iterator[ProjectSession]:
    """An ordinary project."""
    with ProjectSession() as session:
        yield session


def with_fields(**fields: str) -> str:
    """The text of a project file."""
    changed = DEFAULT
    for name, value in fields.items():
        changed = re.sub(rf"^{name}: .*\n|\Z", f"{name}: {value}\n", changed, count=1, flags=re.MULTILINE)
    return changed


def wait_until_listed(session: RunningSession, name: str) -> None:
    """The list of recent projects names it."""
    end = time.monotonic() + DEADLINE
    while name not in [each["name"] for each in session.call("list_recent_projects")]:
        assert time.monotonic() < end


def test_it_begins_in_the_folder_and_is_noted_as_rstudio_does(at_home: ProjectSession) -> None:
    stream = ready(at_home)
    assert at_home.start["session"]["cwd"] == str(at_home.project)
    opened = at_home.start["project"]["open"]
    assert (opened["name"], opened["folder"], opened["problems"]) == ("my project", str(at_home.project), [])
    assert opened["id"] == "56789abc"
    assert str(at_home.project) in evaluate(at_home, stream, "getwd()")
    listed = at_home.call("list_recent_projects")
    assert [(each["folder"], each["name"], each["gone"]) for each in listed] == [
        (str(at_home.project), "my project", False)
    ]
    mru = at_home.state / "monitored/lists/project_name_mru"
    assert mru.read_text() == "~/my project/my project.Rproj\n"
    mappings = at_home.state / "projects_settings/project-id-mappings"
    assert mappings.read_text() == '56789abc="~/my project"\n'
    assert mappings.stat().st_mode & 0o777 == 0o600


def test_documents_lie_out_of_the_project_and_come_back(at_home: ProjectSession) -> None:
    ready(at_home)
    at_home.call("new_document", "r", "x <- 1\n")
    (text,) = (at_home.state / "sources" / "session-def01234").glob("*-contents")
    assert text.read_text() == "x <- 1\n"
    assert not list(at_home.project.rglob("sources"))
    at_home.rpc("abort")
    at_home.launch()
    ready(at_home)
    assert [document["contents"] for document in at_home.start["documents"]] == ["x <- 1\n"]


def test_profile_and_variables_of_the_folder_count(at_home: ProjectSession) -> None:
    stream = ready(at_home)
    (at_home.project / ".Rprofile").write_text("from_profile <- 41\n")
    (at_home.project / ".Renviron").write_text("FROM_RENVIRON=yes\n")
    at_home.call("quit_session")
    stream.wait_for_type("quit")
    at_home.launch()
    stream = ready(at_home)
    assert "42" in evaluate(at_home, stream, "from_profile + 1")
    assert "yes" in evaluate(at_home, stream, 'Sys.getenv("FROM_RENVIRON")')


def test_the_profile_is_not_run_when_the_project_says_so() -> None:
    with ProjectSession(with_fields(DisableExecuteRprofile="Yes")) as session:
        (session.project / ".Rprofile").write_text("from_profile <- 41\n")
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        session.launch()
        assert "FALSE" in evaluate(session, ready(session), 'exists("from_profile")')


@pytest.mark.parametrize(("restore", "comes_back"), [("Yes", "TRUE"), ("No", "FALSE"), ("Default", "TRUE")])
def test_the_image_of_the_folder(restore: str, comes_back: str) -> None:
    with ProjectSession(with_fields(RestoreWorkspace=restore, SaveWorkspace="Yes")) as session:
        stream = ready(session)
        session.type("kept <- 1")
        session.type("q()")
        stream.wait_for_type("quit")
        assert (session.project / ".RData").exists()
        session.launch()
        assert comes_back in evaluate(session, ready(session), 'exists("kept")')


def test_options_are_read_and_written_and_all_else_stays() -> None:
    text = "Version: 1.0\n# mine\nFuture: kept\nNumSpacesForTab: 4\n"
    with ProjectSession(text) as session:
        stream = ready(session)
        assert session.call("read_project_options")["fields"]["Future"] == "kept"
        assert session.start["project"]["open"]["editor"]["tab_width"] == 4
        answer = session.call("write_project_options", {"NumSpacesForTab": "8", "RVersion": "4.2.2"})
        assert answer["problems"] == []
        told = stream.wait_for_type("project_changed")["data"]["open"]
        assert told["editor"]["tab_width"] == 8
        file = session.project / "my project.Rproj"
        assert file.read_text() == text.replace("Tab: 4", "Tab: 8") + "RVersion: 4.2.2\n"
        for fields, code in (({"A b": "x"}, 10), ({"A": "x\ny"}, 10), ({"A": 5}, 9)):
            assert session.rpc("write_project_options", fields)["error"]["code"] == code
        (session.project / "target").write_text(text)
        file.unlink()
        os.mkfifo(file)
        assert session.rpc("write_project_options", {"A": "b"})["error"]["code"] == 1003
        assert session.rpc("read_project_options")["error"]["code"] == 10


def test_wrong_fields_are_told_and_do_not_count() -> None:
    with ProjectSession("Version: 1.0\nSaveWorkspace: Perhaps\n") as session:
        ready(session)
        (problem,) = session.start["project"]["open"]["problems"]
        assert "SaveWorkspace is 'Perhaps'" in problem


def test_children_end_with_the_session_when_the_project_says_so() -> None:
    with ProjectSession(with_fields(QuitChildProcessesOnExit="Yes")) as session:
        stream = ready(session)
        session.type('parallel::mcparallel({cat(Sys.getpid(), file = "pid"); Sys.sleep(600)})')
        stream.wait_for_prompt()
        evaluate(session, stream, 'while (!file.exists("pid") || file.size("pid") == 0) Sys.sleep(0.05)')
        pid = int((session.project / "pid").read_text())
        session.call("quit_session")
        assert session.process
        session.process.wait(DEADLINE)
        assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]


@pytest.mark.parametrize("kind", ["gone", "file", "empty", "fifo"])
def test_a_project_that_cannot_be_opened_ends_the_start(kind: str) -> None:
    with ProjectSession(None) as session:
        assert session.process
        assert session.process.wait(DEADLINE) == 202
        assert "no project file" in session.stderr()
        path = session.home / kind
        if kind == "file":
            path.touch()
        elif kind != "gone":
            path.mkdir()
            if kind == "fifo":
                os.mkfifo(path / "x.Rproj")
        session._arguments = [f"--project={path}"]
        session.launch()
        code = {"gone": 203, "file": 201, "empty": 202, "fifo": 202}[kind]
        assert session.process.wait(DEADLINE) == code
        assert str(path) in session.stderr()


def test_a_project_is_made_at_the_start_when_that_is_wished() -> None:
    with ProjectSession(None, "--create-project=1") as session:
        ready(session)
        assert session.start["project"]["open"]["name"] == "my project"
        assert (session.project / "my project.Rproj").read_text() == DEFAULT


def test_making_and_checking_projects(at_home: ProjectSession) -> None:
    ready(at_home)
    made = at_home.call("create_project", "~/deep/er/Zweite ✓ <b>\"'")
    folder = Path(made["folder"])
    assert Path(made["file"]).read_text() == DEFAULT
    assert at_home.call("check_project", made["file"])["state"] == "project"
    assert at_home.call("check_project", str(folder.parent))["state"] == "no_project"
    assert at_home.call("check_project", "~/nothing")["state"] == "gone"
    assert at_home.call("check_project", str(at_home.socket_path))["state"] == "no_folder"
    for path, code in (("relative", 10), ("~/a\nb", 10), ("/" + "x" * 4000, 10), ("", 10)):
        assert at_home.rpc("create_project", path)["error"]["code"] == code
    assert at_home.rpc("create_project", at_home.socket_path)["error"]["code"] == 1003


def test_the_list_of_recent_ones(at_home: ProjectSession) -> None:
    stream = ready(at_home)
    lines = [f"~/p{number}/p{number}.Rproj" for number in range(20)] + ["~/named/n.Rproj\tA name"]
    mru = at_home.state / "monitored/lists/project_name_mru"
    mru.write_text("\n".join(lines[-3:]) + "\n")
    listed = at_home.call("list_recent_projects")
    assert [each["name"] for each in listed] == ["p18", "p19", "A name"]
    assert all(each["gone"] for each in listed)
    at_home.call("forget_recent_project", "~/p19")
    assert mru.read_text() == "~/p18/p18.Rproj\n~/named/n.Rproj\tA name\n"
    mru.write_text("\n".join(lines))
    at_home.call("quit_session")
    stream.wait_for_type("quit")
    at_home.launch()
    ready(at_home)
    assert len(at_home.call("list_recent_projects")) == 15
    assert len(mru.read_text().splitlines()) == 15


def test_a_link_of_somebody_else_leads_no_text_away(at_home: ProjectSession) -> None:
    ready(at_home)
    user, trap = at_home.project / ".Rproj.user", at_home.home / "trap"
    if user.exists():
        user.rename(at_home.home / "away")
    trap.mkdir(mode=0o777)
    user.symlink_to(trap)
    os.lchown(user, 12345, 12345)
    document = at_home.call("new_document", "r", "mine")
    at_home.call("update_document", document["id"], document["revision"], 4, 4, " too")
    at_home.rpc("abort")
    at_home.launch()
    ready(at_home)
    assert at_home.start["project"]["open"]["problems"] == []
    assert [document["contents"] for document in at_home.start["documents"]] == ["mine too"]
    assert list(trap.iterdir()) == []


def test_the_first_project_is_copied_once(tmp_path: Path) -> None:
    template = tmp_path / "Welcome"
    template.mkdir()
    (template / "Welcome.Rproj").write_text(DEFAULT)
    (template / "read me.md").write_text("hello")
    template.chmod(0o755)
    conf = f"session-first-project-template-path={template}\nsession-default-new-project-dir=~/projects\n"
    with ProjectSession() as session:
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        (session.folder / "rsession.conf").write_text(conf)
        copy = session.home / "projects" / "Welcome"
        for _ in range(2):
            session.launch()
            stream = ready(session)
            wait_until_listed(session, "Welcome")
            session.call("quit_session")
            stream.wait_for_type("quit")
        assert session.start["project"]["new_folder"] == str(session.home / "projects")
        assert (copy / "read me.md").read_text() == "hello"
        copy.rename(tmp_path / "moved")
        session.launch()
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        assert not copy.exists()


def test_encoding_and_line_endings_of_the_project() -> None:
    with ProjectSession(with_fields(Encoding="ISO-8859-1", LineEndingConversion="Windows")) as session:
        ready(session)
        made = session.call("new_document", "r", "caf\u00e9\nb")
        saved = session.call("save_document", made["id"], "new.R")
        assert (saved["encoding"], saved["line_ending"]) == ("ISO-8859-1", "\r\n")
        assert (session.project / "new.R").read_bytes() == b"caf\xe9\r\nb"
        (session.project / "old.R").write_bytes(b"a\nb\n")
        opened = session.call("open_document", "old.R")
        session.call("update_document", opened["id"], opened["revision"], 0, 1, "\u00e9")
        session.call("save_document", opened["id"])
        assert (session.project / "old.R").read_bytes() == b"\xe9\r\nb\r\n"
        session.call("write_project_options", {"LineEndingConversion": "Posix", "Encoding": "UTF-16"})
        session.call("save_document", opened["id"])
        assert (session.project / "old.R").read_bytes() == b"\xe9\nb\n"
        assert any("Encoding" in each for each in session.call("get_project")["open"]["problems"])


def test_a_file_that_is_changed_by_hand_counts_at_once(at_home: ProjectSession) -> None:
    stream = ready(at_home)
    opened = at_home.call("open_document", "my project.Rproj")
    text = opened["contents"].replace("NumSpacesForTab: 2", "NumSpacesForTab: 7")
    at_home.call("set_document", opened["id"], text)
    at_home.call("save_document", opened["id"])
    told = stream.wait_for_type("project_changed")["data"]["open"]
    assert told["editor"]["tab_width"] == 7
    (at_home.project / "my project.Rproj").write_text(text.replace("Tab: 7", "Tab: 4") + "ProjectName: Now\n")
    evaluate(at_home, stream, "Sys.sleep(1.1)")
    told = stream.wait_for_type("project_changed")["data"]["open"]
    assert (told["editor"]["tab_width"], told["name"]) == (4, "Now")


@pytest.mark.parametrize("name", [b"\xff.Rproj", b"two\nlines.Rproj", b"tab\there.Rproj", b"\xe2\x80\xae.Rproj"])
def test_names_of_project_files_that_somebody_else_has_chosen(name: bytes) -> None:
    with ProjectSession() as session:
        stream = ready(session)
        session.call("quit_session")
        stream.wait_for_type("quit")
        mru = session.state / "monitored/lists/project_name_mru"
        mru.write_bytes(b"~/\xfe/x.Rproj\n")
        os.rename(session.project / "my project.Rproj", os.fsencode(session.project) + b"/" + name)
        session.launch()
        ready(session)
        assert session.start["project"]["open"]["file"].endswith(".Rproj")
        assert session.call("read_project_options")["fields"]["Version"] == "1.0"
        session.call("list_recent_projects")
        lines = mru.read_bytes().splitlines()
        assert lines[-1] == b"~/\xfe/x.Rproj"
        assert lines[:-1] in ([], [b"~/my project/" + name])
