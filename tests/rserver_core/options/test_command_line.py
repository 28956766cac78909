"""A program's settings, from real files and in a real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rserver_core.config_errors import ConfigErrors
from rserver_core.options.command_line import load
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION

PROGRAM = """
import os, sys
from rserver_core.options.command_line import load_or_exit
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION
print(load_or_exit(RSERVER, sys.argv[1:], os.environ, also=(RSESSION,)).www_port)
"""


def run(directory: Path, *argv: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environ = environ or {**os.environ, "RSTUDIO_CONFIG_DIR": str(directory)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv], env=environ, capture_output=True, text=True, timeout=30
    )


def test_settings_from_the_configuration_directory(tmp_path: Path) -> None:
    (tmp_path / "rserver.conf").write_text("www-port=1234\n")
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1234\n", "")


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert run(tmp_path).stdout == "8787\n"


def test_no_home_in_the_environment(tmp_path: Path) -> None:
    """As service managers start programs."""
    environ = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = run(tmp_path, environ={**environ, "RSTUDIO_CONFIG_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "8787\n", "")


def test_errors_of_both_files_end_with_2_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "rserver.conf").write_text("www-port=x\n")
    (tmp_path / "rsession.conf").write_text("nothing=1\n")
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path}/rserver.conf:1: www-port: " in done.stderr
    assert f"{tmp_path}/rsession.conf:1: nothing: unknown option" in done.stderr


def test_test_config_only_checks(tmp_path: Path) -> None:
    done = run(tmp_path, "--test-config")
    assert (done.returncode, done.stdout) == (0, "")
    assert run(tmp_path, "--test-config", "--www-port=x").returncode == 2


def test_help_names_every_option(tmp_path: Path) -> None:
    text = run(tmp_path, "--help").stdout
    assert all(f"--{name}=" in text for name in RSERVER.options)


def test_config_file_named_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "other.conf").write_text("www-port=7\n")
    environ = {"RSTUDIO_CONFIG_DIR": str(tmp_path), "HOME": "/root"}
    assert load(RSERVER, [f"--config-file={tmp_path}/other.conf"], environ).www_port == 7
    with pytest.raises(ConfigErrors, match="there is no file"):
        load(RSERVER, [f"--config-file={tmp_path}/absent.conf"], environ)


def test_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rserver.conf").mkdir()
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(RSERVER, [], {"RSTUDIO_CONFIG_DIR": str(tmp_path)})


def test_also_checks_the_other_table_when_ours_is_good(tmp_path: Path) -> None:
    (tmp_path / "rsession.conf").write_text("x=1\n")
    with pytest.raises(ConfigErrors, match=r"rsession\.conf:1"):
        load(RSERVER, [], {"RSTUDIO_CONFIG_DIR": str(tmp_path), "HOME": "/root"}, also=(RSESSION,))


def test_tables_import_only_the_standard_library() -> None:
    code = "import sys\nfrom rserver_core.options import command_line, rserver, rsession\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    modules = set(done.stdout.split())
    assert "rserver_core.options.rserver" in modules
    assert not modules & {"argparse", "difflib", "subprocess", "asyncio", "twisted", "ssl"}
