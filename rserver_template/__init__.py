"""A process with R and the session's modules in its memory, from which keepers and sessions are forked."""
