"""Changes of one file in a folder, told by the kernel."""

from collections.abc import Callable
from pathlib import Path

from twisted.internet import inotify
from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger
from twisted.python._inotify import INotifyError
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

_MASK = inotify.IN_CREATE | inotify.IN_CLOSE_WRITE | inotify.IN_MOVED | inotify.IN_DELETE | inotify.IN_ATTRIB

_log = Logger()


def watch_file(reactor: IReactorFDSet, path: Path, changed: Callable[[], object]) -> bool:
    """Whether changed is called from now on when a file of that path comes, changes or goes on this machine."""

    def told(_watch: object, found: FilePath[bytes], _mask: int) -> None:
        if found.basename() in {path.name, path.name.encode()}:
            changed()

    try:
        notifier = inotify.INotify(reactor)
        try:
            notifier.watch(FilePath(str(path.parent)), _MASK, callbacks=[told])
        except (OSError, INotifyError):
            notifier.connectionLost(Failure())
            raise
        notifier.startReading()
    except (OSError, INotifyError) as error:
        _log.info("{path} is looked at often, since the kernel does not tell: {error}", path=path, error=error)
        return False
    return True
