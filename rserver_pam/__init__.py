"""One-shot password check through PAM."""
