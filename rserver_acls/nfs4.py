"""NFSv4 access control lists: what tells them, and the form in which Linux hands them over."""

NAME = "system.nfs4_acl"
