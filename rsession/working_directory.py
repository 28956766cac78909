"""Where R works: R runs in this process, so its working directory is ours."""

import os


def working_directory() -> str:
    """The path; empty when the directory is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""
