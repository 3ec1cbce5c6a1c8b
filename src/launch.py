"""Runs the engine of this checkout: ``python src/launch.py run``.

MLproject calls this file instead of an installed package. MLflow keeps an environment for
every project with the same conda.yaml, so an installed engine could be another checkout's.
"""

import sys

from mlrecipes.cli import main
from mlrecipes.cli.deployed import as_task

if __name__ == "__main__":
    with as_task(sys.argv):
        main()
