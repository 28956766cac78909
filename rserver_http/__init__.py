"""The nginx in front of the worker: its configuration, written from the options, and its life."""
