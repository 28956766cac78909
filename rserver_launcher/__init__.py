"""Starts sessions for the master, each inside a PAM session held by a keeper. Runs as root; standard library only."""
