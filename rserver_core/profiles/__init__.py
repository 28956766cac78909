"""The file `profiles`: what users and groups may have of this machine."""
