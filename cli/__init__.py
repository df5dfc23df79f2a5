"""The command line of medsegan, installed as `medsegan_cli`: it parses, calls `medsegan.workflows` and shows."""
