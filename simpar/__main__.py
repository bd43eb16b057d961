"""``python -m simpar`` is the ``simpar`` command."""

from simpar.cli import main

if __name__ == "__main__":
    main()
