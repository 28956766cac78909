"""What the privileged programs share: event loop, channels, privilege drop, PAM, keepers. Standard library only."""
