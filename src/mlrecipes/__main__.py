"""``python -m mlrecipes``."""

from mlrecipes.cli import main

if __name__ == "__main__":
    main()
