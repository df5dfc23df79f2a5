"""Which scans and labels lie in the files and folders that a user names."""
