"""The command ``fullshot``, also ``python -m fullshot``."""


def main() -> None:
    """Run it. Every worker process imports this module once more: the commands are imported where they are run."""
    from fullshot.cli import main as run

    run()


if __name__ == "__main__":
    main()
