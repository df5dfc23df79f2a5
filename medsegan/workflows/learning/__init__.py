"""Parts of `train`: what it is asked, and what follows from that."""
