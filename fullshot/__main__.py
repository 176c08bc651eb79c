"""``python -m fullshot``."""

from fullshot.cli import main

if __name__ == "__main__":
    main()
