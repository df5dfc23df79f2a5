"""Measurements of speed, run by hand with `make bench`; never a part of the tests."""
