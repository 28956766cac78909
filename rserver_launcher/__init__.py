"""The privileged program that opens PAM sessions and starts R sessions."""
