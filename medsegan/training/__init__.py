"""Training: configuration, losses, stages, loop, checkpoints."""
