"""Sharing of projects, the worker's part: who may change what, the files that tell of it, the way to the master."""
