"""Changes the access control lists of shared projects. Runs as root for a moment, then walled in; once per request."""
