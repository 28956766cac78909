"""Repositories of an R version."""

from pathlib import Path

import pytest

from rserver_core.r_repositories import BadRepositories, repositories


def test_a_url_is_cran() -> None:
    assert repositories("https://cran.example.org/x") == [("CRAN", "https://cran.example.org/x")]


def test_a_file_names_several(tmp_path: Path) -> None:
    path = tmp_path / "repos.conf"
    path.write_text("# ours first\nInternal=https://r.example.org/internal\nCRAN=https://cran.example.org\n")
    assert repositories(str(path)) == [
        ("Internal", "https://r.example.org/internal"),
        ("CRAN", "https://cran.example.org"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "names no repository"), ("CRAN=cran\n", ":1: expected name=URL"), ("x\n", ":1: expected key=value")],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "repos.conf"
    path.write_text(text)
    with pytest.raises(BadRepositories, match=words):
        repositories(str(path))
    with pytest.raises(BadRepositories, match="there is no file"):
        repositories(f"{path}.gone")
