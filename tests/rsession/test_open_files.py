"""Room for connections under the limits of open files that machines set."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from rsession.http_server import HttpServer
server = HttpServer(None, None, frozenset())
print(server._max_connections, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "raised"),
    [(1024, 8192, 1280, 5120), (1024, 2048, 1024, 2048), (256, 256, 128, 256), (8000, 8192, 1280, 8000)],
)
def test_the_soft_limit_is_raised_and_the_hard_one_kept(soft: int, hard: int, connections: int, raised: int) -> None:
    argv = [sys.executable, "-c", PROGRAM, str(soft), str(hard)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(connections), str(raised), str(hard)]
