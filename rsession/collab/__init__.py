"""Several sessions that edit one file of a project together: they learn of each other, one hosts the shared text."""
