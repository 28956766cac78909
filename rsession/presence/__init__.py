"""Who else has the project open: one small file per session in a folder that all of them read."""
