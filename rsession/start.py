"""What must be right before R starts: its command line, environment and working directory."""

import os
import sys
from typing import TYPE_CHECKING

from rsession.preferences import read_preferences
from rsession.state_home import state_home
from rsession.workspace.folder import NAME, holds_objects, session_folder, was_suspended
from rsession.workspace.restart_note import RestartNote, take_note
from rsession.workspace.save_policy import save_policy

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings
    from rserver_core.r_installation import RInstallation
    from rsession.projects.folder import Project

_LOADER_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib64")
_CANNOT_MAKE = 205


def wanted_project(settings: "RsessionSettings") -> "Project | None":
    """The project that the session is to be opened in, made when that is wished; ends the process when it cannot be."""
    if not settings.project:
        return None
    # Most sessions have no project, and R's start waits for this module.
    from rsession.projects.folder import CannotOpen, create_project, open_project

    try:
        if settings.create_project:
            create_project(settings.project)
        return open_project(settings.project)
    except CannotOpen as error:
        print(f"rsession: {error}", file=sys.stderr)
        raise SystemExit(error.refusal) from None
    except OSError as error:
        print(f"rsession: the project {settings.project} cannot be made: {error.strerror}", file=sys.stderr)
        raise SystemExit(_CANNOT_MAKE) from None


def r_arguments(
    settings: "RsessionSettings", project: "Project | None" = None, *, keeps_site_profile: bool = False
) -> list[str]:
    """R's own command line. Saving at the end is the session's business: R alone would not save."""
    arguments = ["R", "--interactive", "--no-save"]
    if not settings.r_run_rprofile:
        arguments += ["--no-init-file", *([] if keeps_site_profile else ["--no-site-file"])]
    elif (project and not project.options.runs_profile) or skips_profile(settings):
        arguments += ["--no-init-file"]
    if restart_note(settings) is not None or (settings.r_restore_workspace and _has_kept_objects(settings)):
        arguments.append("--quiet")
    return [*arguments, "--no-restore-history" if _restores_image(settings, project) else "--no-restore"]


def _restores_image(settings: "RsessionSettings", project: "Project | None") -> bool:
    note = restart_note(settings)
    if not settings.r_restore_workspace or (note and note.starts_empty) or _has_kept_objects(settings):
        return False
    options = project.options if project else None
    return save_policy(settings.session_save_action_default, read_preferences(os.environ), options).loads_image


def restart_note(settings: "RsessionSettings") -> RestartNote | None:
    """What the process before said when it restarted R; the store is as it said from then on."""
    return take_note(os.path.expanduser("~"), settings.session_id)


def skips_profile(settings: "RsessionSettings") -> bool:
    """The session comes back from a suspension: what the user's profile had set comes back with it."""
    if settings.session_rprofile_on_resume_default or not (settings.r_run_rprofile and settings.r_restore_workspace):
        return False
    return _has_kept_objects(settings) and was_suspended(_store(settings))


def _has_kept_objects(settings: "RsessionSettings") -> bool:
    """The session's own store holds newer objects than .RData."""
    return holds_objects(_store(settings))


def _store(settings: "RsessionSettings") -> str:
    state = state_home(os.path.expanduser("~")).path
    return f"{session_folder(state, settings.session_id)}/{NAME}"


def prepare_environment(installation: "RInstallation") -> None:
    """Set what R's start script would set; starts this program again when only that can make the loader find R."""
    environment = os.environ
    for name, value in installation.environment().items():
        environment.setdefault(name, value)
    if not any(environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        environment["LANG"] = "C.UTF-8"
    folder = os.path.dirname(installation.library)
    known = environment["LD_LIBRARY_PATH"].split(":")
    if folder not in known:
        environment["LD_LIBRARY_PATH"] = ":".join([folder, *filter(None, known)])
    if os.environ.get("LD_LIBRARY_PATH") != _at_exec() and not _is_known_to_loader(f"{folder}/libR.so"):
        os.execv(sys.executable, sys.orig_argv)


def enter_working_directory(path: str) -> None:
    """Begin in `path` (may start with `~`), or stay when that cannot be."""
    try:
        os.chdir(os.path.expanduser(path))
    except OSError as error:
        print(f"rsession: cannot begin in {path}: {error.strerror}", file=sys.stderr)


def _at_exec() -> str | None:
    """LD_LIBRARY_PATH as the loader has read it."""
    with open("/proc/self/environ", "rb") as file:
        for variable in file.read().split(b"\0"):
            if variable.startswith(b"LD_LIBRARY_PATH="):
                return os.fsdecode(variable.partition(b"=")[2])
    return None


def _is_known_to_loader(library: str) -> bool:
    """Packages are linked with plain `libR.so`: whether the loader finds this one by itself."""
    return any(_is_same(f"{folder}/libR.so", library) for folder in _LOADER_FOLDERS)


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
