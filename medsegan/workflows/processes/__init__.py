"""Cases side by side in processes of their own, as many as the machine can bear."""
