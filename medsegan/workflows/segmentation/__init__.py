"""Parts of `segment`: which scans, what they are called, and one scan through the model."""
