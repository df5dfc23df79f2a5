"""The four verbs as library calls: they join both towers, and print nothing."""
