"""Checks one password with PAM and answers by its exit code. Standard library only; runs as root, once per sign-in."""
