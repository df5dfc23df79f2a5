"""What to time of each operator: one file an operator, each with `cases(device)`."""
