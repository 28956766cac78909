"""The objects of a session outlive its process: snapshots, suspension, checkpoints, restoration."""
