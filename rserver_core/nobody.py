"""uids that stand for no person, whatever the smallest uid of a person is. Pure."""

# Whatever runs as nobody has the first, also whom an NFS server squashes; the others mean "none" to the kernel.
NOBODY_UIDS = frozenset({65534, 0xFFFF, 0xFFFFFFFE, 0xFFFFFFFF})
