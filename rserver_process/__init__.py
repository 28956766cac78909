"""Starting and watching processes as another user; standard library only, shared by the privileged programs."""
