"""Shares of the memory that a session may have at which its user is warned, and no longer."""

WARN_SHARE, CALM_SHARE = 0.85, 0.75
