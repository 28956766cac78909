"""The repositories that a record of r-versions names: one URL, or a file of `name=URL` lines."""

import re

from rserver_core import conf_file
from rserver_core.config_errors import ConfigError

MOST_REPOSITORIES = 50
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._ -]{0,63}", re.ASCII)
_URL = re.compile(r"(?:https?|ftp|file)://[!-~]{1,1000}", re.ASCII)


class BadRepositories(ValueError):
    """The file cannot be used; the text has every finding."""


def repositories(repo: str) -> list[tuple[str, str]]:
    """Names and URLs in their order, of a URL or of the file at an absolute path; BadRepositories."""
    if not repo.startswith("/"):
        return [("CRAN", repo)]
    try:
        text = conf_file.read(repo)
    except FileNotFoundError:
        raise BadRepositories(f"there is no file {repo}") from None
    if isinstance(text, ConfigError):
        raise BadRepositories(str(text))
    found: list[tuple[str, str]] = []
    findings = [problem for entry in conf_file.parse(text, repo) if (problem := _take(entry, found))]
    if findings or not found:
        raise BadRepositories("; ".join(findings[:5]) or f"{repo} names no repository")
    return found


def _take(entry: conf_file.Entry | ConfigError, found: list[tuple[str, str]]) -> str:
    """Put it into found, or say what is wrong with it."""
    if isinstance(entry, ConfigError):
        return str(entry)
    if not _NAME.fullmatch(entry.key) or not _URL.fullmatch(entry.value) or len(found) == MOST_REPOSITORIES:
        return f"{entry.place}: expected name=URL, at most {MOST_REPOSITORIES} of them"
    found.append((entry.key, entry.value))
    return ""
