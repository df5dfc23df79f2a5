"""What `benchmarks.prepare` times: a generated series, and the roads from it to slices."""
