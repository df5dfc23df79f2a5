"""`prepare`: what is decided, done with each case, and answered."""
