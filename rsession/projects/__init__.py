"""Projects: a folder with a `.Rproj` file, and what a session of it obeys and keeps there."""
