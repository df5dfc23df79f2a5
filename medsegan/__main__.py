"""`python -m medsegan`: the same as the console script `medsegan`."""

from medsegan_cli.main import main

if __name__ == "__main__":
    main()
