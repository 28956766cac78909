from typing import Any

import pytest

from rserver.settings import SettingsError, WorkerSettings


def test_defaults_hold_for_what_is_not_given() -> None:
    assert WorkerSettings.from_options({}) == WorkerSettings()


def test_options_by_their_names_others_passed_over() -> None:
    options = {"www-root-path": "/r/", "auth-timeout-minutes": 5, "www-port": 8787, "rsession-which-r": None}
    settings = WorkerSettings.from_options(options)
    assert (settings.root_path, settings.cookie_life.timeout_minutes) == ("/r/", 5)


@pytest.mark.parametrize("groups", ["staff,users", ("staff", "users"), ["staff", "users"]])
def test_groups(groups: Any) -> None:
    settings = WorkerSettings.from_options({"auth-required-user-group": groups, "auth-minimum-user-id": 500})
    assert settings.policy.required_groups == {"staff", "users"}
    assert settings.policy.minimum_uid == 500


@pytest.mark.parametrize(("text", "path"), [("/", "/"), ("", "/"), ("/a/b", "/a/b/"), ("a", "/a/")])
def test_the_root_path_has_a_slash_at_both_ends(text: str, path: str) -> None:
    assert WorkerSettings(www_root_path=text).root_path == path


@pytest.mark.parametrize(
    "options", [{"auth-timeout-minutes": "60"}, {"auth-cookies-force-secure": "1"}, {"auth-timeout-minutes": True}]
)
def test_a_wrong_type_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(options))):
        WorkerSettings.from_options(options)
