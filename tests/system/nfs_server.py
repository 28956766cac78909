"""A real NFS server and its client in the guest system: packages of this machine's Debian, unpacked beside it."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.apt import SourceUnavailableError, cache_directory, download, run, suite_of_machine

_PACKAGES = ("nfs-kernel-server", "nfs-common", "rpcbind", "kmod")
EXPORT = Path("/run/export")
"""Where the server has what it exports, in the guest."""

# Programs and libraries of this machine come first; what it lacks was unpacked.
_PREPARE = """
D={unpacked}
for P in usr/sbin usr/bin sbin bin; do PATH=$PATH:$D/$P; done
for P in $D/usr/lib/*-linux-gnu $D/lib/*-linux-gnu; do LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$P:$P/libnfsidmap; done
export PATH LD_LIBRARY_PATH
[ -e /etc/netconfig ] || cp $D/etc/netconfig /etc/netconfig; touch /etc/exports
grep -q ^_rpc: /etc/passwd || echo "_rpc:x:96:65534::/run/rpcbind:/usr/sbin/nologin" >> /etc/passwd
mkdir -p /run/bin /run/modules/lib/modules /run/export
ln -s /usr/lib/uml/modules/$(uname -r) /run/modules/lib/modules/
ln -s $(command -v kmod) /run/bin/modprobe
for M in loop nfsd nfsv3 nfsv4; do /run/bin/modprobe -d /run/modules $M; done
{parameters}
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/nfs/sm /var/lib/nfs/v4recovery /var/lib/nfs/rpc_pipefs
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
mount -t nfsd nfsd /proc/fs/nfsd
truncate -s 400M /run/disk
mkfs.ext4 -q /run/disk
mount -o loop /run/disk {export}
rpcbind
exportfs -o rw,root_squash,insecure,fsid=0,no_subtree_check 127.0.0.1:{export}
{mapping}
rpc.mountd -p 20048
rpc.nfsd -V 3 -V 4.2 4
echo Y > /proc/fs/nfsd/v4_end_grace
mkdir -p /home/nfs4 /home/nfs3
mount -i -t nfs4 127.0.0.1:/ /home/nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1
mount.nfs 127.0.0.1:{export} /home/nfs3 -o vers=3,nolock
"""
_BY_NAME = "echo N > /sys/module/nfsd/parameters/nfs4_disable_idmapping"
_MAPPING = """printf '[General]\\nDomain = trees.example\\n[Mapping]\\nNobody-Group = nogroup\\n' > /etc/idmapd.conf
rpc.idmapd"""


def prepare(*, by_name: bool) -> str:
    """Shell commands for run_in_guest(): the same folder at /home/nfs4 and /home/nfs3; SourceUnavailableError.

    by_name: the server of version 4 speaks of people as name@trees.example instead of numbers.
    """
    parameters, mapping = (_BY_NAME, _MAPPING) if by_name else ("", "")
    return _PREPARE.format(unpacked=_unpacked(), export=EXPORT, parameters=parameters, mapping=mapping)


def _unpacked() -> Path:
    parent = cache_directory() if os.geteuid() else Path("/var/cache/rserver-tests")
    folder = parent / f"nfs-server-{suite_of_machine()}"
    if not folder.is_dir():
        _unpack(folder)
    return folder


def _unpack(folder: Path) -> None:
    work = cache_directory() / f"nfs-server.{os.getpid()}"
    made = work / "made"
    made.mkdir(parents=True)
    (work / "archives" / "partial").mkdir(parents=True)
    quiet = ["-qq", "--yes", "--no-install-recommends", "--download-only", "-o", "Debug::NoLocking=1"]
    try:
        download(work, suite_of_machine(), "deb", ["install", *quiet, *_PACKAGES])
        for package in (work / "archives").glob("*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(made)], work)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, folder)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"the packages of an NFS server could not be unpacked: {error}"
        raise SourceUnavailableError(message) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
