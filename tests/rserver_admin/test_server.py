import os
import signal
from pathlib import Path

import pytest

from rserver_admin.server import Server, settings_of
from rserver_core.config_errors import ConfigErrors
from rserver_process.run_records import RunRecords
from tests.rserver_admin.processes import record_of, sleeper


def test_a_configuration_that_cannot_be_used_still_says_where_the_server_is(tmp_path: Path) -> None:
    (tmp_path / "rserver.conf").write_text(f"www-prot=1\nserver-data-dir={tmp_path}/run\nwww-port=many\n")
    settings = settings_of(("--server-lib-dir=/else",), {"RSTUDIO_CONFIG_DIR": str(tmp_path)})
    assert (settings.server_data_dir, settings.server_lib_dir) == (f"{tmp_path}/run", "/else")


def test_a_wrong_command_line_is_refused() -> None:
    with pytest.raises(ConfigErrors, match="www-prot"):
        settings_of(("--www-prot=1",), {"RSTUDIO_CONFIG_DIR": "/nonexistent"})


def test_sessions_are_those_whose_process_runs(tmp_path: Path) -> None:
    server = Server(settings_of((f"--server-data-dir={tmp_path}",), {"RSTUDIO_CONFIG_DIR": "/nonexistent"}))
    assert server.sessions() == []
    records = RunRecords(str(tmp_path))
    records.prepare()
    with sleeper() as alive, sleeper() as reused:
        records.write_record(record_of(alive.pid, session="a" * 21))
        records.write_record(record_of(reused.pid, session="b" * 21, ticks=1))
        (tmp_path / "sessions" / f"{'c' * 21}.json").write_text("{broken")
        assert [record.session for record in server.sessions()] == ["a" * 21]
        os.kill(alive.pid, signal.SIGKILL)
        os.waitid(os.P_PID, alive.pid, os.WEXITED | os.WNOWAIT)
        assert server.sessions() == []
