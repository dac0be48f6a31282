"""`python -m krs` is `krs`."""

from krs.cli import main

if __name__ == "__main__":
    main()
