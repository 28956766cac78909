"""From texts to settings, and what is said about texts that are wrong."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from rserver_core import conf_file
from rserver_core.config_errors import ConfigErrors
from rserver_core.options.command_line import entries
from rserver_core.options.rserver import RSERVER, RserverSettings
from rserver_core.options.rsession import RSESSION
from rserver_core.options.table import OptionTable
from rserver_core.options.unsupported import BELONGS_IN, UNSUPPORTED

ENVIRON = {"HOME": "/home/ann"}


def parse(conf: str = "", argv: Sequence[str] = (), root: bool = True) -> RserverSettings:
    return RSERVER.parse(entries(argv), conf_file.parse(conf, "rserver.conf"), ENVIRON, root=root)


def errors(conf: str = "", argv: Sequence[str] = ()) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse(conf, argv)
    return str(caught.value).splitlines()


def test_defaults_of_root() -> None:
    settings = parse()
    assert (settings.www_port, settings.www_address, settings.auth_none) == (8787, "0.0.0.0", False)
    assert settings.server_data_dir == "/run/rstudio-server"
    assert settings.server_add_header == ()


def test_defaults_of_an_ordinary_user_need_no_rights() -> None:
    settings = parse(root=False)
    assert (settings.www_address, settings.auth_none, settings.server_daemonize) == ("127.0.0.1", True, False)
    assert settings.server_data_dir == "/home/ann/.local/share/rstudio-server/run"
    runtime = RSERVER.defaults({**ENVIRON, "XDG_RUNTIME_DIR": "/run/user/7"}, root=False)
    assert runtime.server_data_dir == "/run/user/7/rstudio-server"


def test_command_line_wins_over_the_file() -> None:
    assert parse("www-port=1\nwww-address=::1", ["--www-port=2"]).www_port == 2
    assert parse("www-port=1", ["--www-port", "2"]).www_port == 2


def test_a_repeatable_option_collects() -> None:
    assert parse("server-add-header=A: 1\nserver-add-header=B: 2").server_add_header == ("A: 1", "B: 2")


def test_all_errors_at_once_with_place_key_and_what_is_allowed() -> None:
    conf = "www-port=99999\nauth-none=yes\nnonsense\nwww-same-site=Lax\n"
    assert errors(conf, ["--server-user=a b", "stray"]) == [
        "rserver.conf:1: www-port: expected a whole number from 0 to 65535, found '99999'",
        "rserver.conf:2: auth-none: expected 1 or 0, found 'yes'",
        "rserver.conf:3: expected key=value, found 'nonsense'",
        "rserver.conf:4: www-same-site: expected one of \"\" (empty) none lax strict, found 'Lax'",
        "command line: server-user: expected an account name, found 'a b'",
        "command line: expected --name=value, found 'stray'",
    ]


def test_unknown_option_names_the_nearest() -> None:
    assert errors("www-prot=1") == ["rserver.conf:1: www-prot: unknown option; did you mean www-port?"]
    assert errors("qqq=1") == ["rserver.conf:1: qqq: unknown option"]


def test_option_of_the_other_file() -> None:
    key = next(iter(BELONGS_IN))
    assert errors(f"{key}=1") == [f"rserver.conf:1: {key}: unknown option here; it belongs in {BELONGS_IN[key]}"]


def test_option_that_only_rstudio_server_has() -> None:
    (line,) = errors("load-balancing-enabled=1")
    assert line.endswith("is an option of RStudio Server that this server does not support")


def test_same_option_twice() -> None:
    assert errors("www-port=1\nwww-port=2") == ["rserver.conf:2: www-port: is given twice, first at rserver.conf:1"]


def test_command_line_only_option_in_the_file() -> None:
    assert errors("config-file=/x") == ["rserver.conf:1: config-file: can be given on the command line only"]


def test_option_without_value() -> None:
    assert errors("", ["--www-port"]) == ["command line: www-port: has no value"]


def test_options_that_do_not_go_together() -> None:
    (line,) = errors("www-same-site=none")
    assert line.startswith("rserver.conf: www-same-site: none needs ssl-enabled=1 or auth-cookies-force-secure=1")
    assert parse("www-same-site=none\nauth-cookies-force-secure=1").www_same_site == "none"


def test_hostile_keys_and_values_are_cut() -> None:
    (line,) = errors(f"{'k' * 5000}={'v' * 5000}")
    assert len(line) < 500
    (line,) = errors(f"www-port={'9' * 50000}")
    assert len(line) < 500


def test_settings_travel_as_json() -> None:
    settings = parse("auth-required-user-group=a,b\nserver-add-header=A: 1")
    message = json.loads(json.dumps(RSERVER.to_json(settings)))
    assert message["auth-required-user-group"] == ["a", "b"]
    assert RSERVER.from_json(message) == settings


@pytest.mark.parametrize("table", [RSERVER, RSESSION])
def test_every_default_is_a_value_that_the_option_allows(table: OptionTable[Any]) -> None:
    for option in table.options.values():
        if not option.row.repeatable:
            option.read(option.row.default, ENVIRON)


def test_no_option_is_both_ours_and_unsupported() -> None:
    ours = {*RSERVER.options, *RSESSION.options}
    assert not ours & UNSUPPORTED
    assert BELONGS_IN.keys() <= ours


@pytest.mark.parametrize("root", ["/", "//", "/srv/.."])
def test_projects_are_not_shared_on_the_whole_machine(root: str) -> None:
    (error,) = errors(f"server-project-sharing-root-dir={root}")
    assert "must not be /: name a folder for projects" in error
