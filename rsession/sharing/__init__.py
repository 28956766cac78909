"""Sharing of projects, the session's part: what its user sees of it, asks of the server, and how a project is left."""
