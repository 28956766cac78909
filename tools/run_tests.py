"""`make test`: pytest, whose closing line is the last thing printed."""

import os
from collections.abc import Sequence

from tools.layout import PYTHON, ROOT


def run(arguments: Sequence[str]) -> None:
    """Become pytest."""
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "pytest", *arguments])
