"""Runs the engine of this checkout: ``python src/launch.py run``.

MLproject calls this file instead of an installed package. MLflow keeps an environment for
every project with the same conda.yaml, so an installed engine could be another checkout's.
"""

from mlrecipes.cli import main

if __name__ == "__main__":
    main()
