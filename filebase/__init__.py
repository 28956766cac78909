"""A process of the host's user that keeps the text of one file, which several edit together, until all have closed it.

Defined in docs/reference/internal-protocols.md §7.
"""
