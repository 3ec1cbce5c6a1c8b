"""Check the bundle without a workspace: ``python -m tests.bundle``."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The engine of this checkout, as the launcher takes it.
sys.path.insert(0, str(ROOT / "src"))

from tests.bundle.checks import problems_of  # noqa: E402
from tests.bundle.loading import on_cluster, read_files  # noqa: E402


def main() -> None:
    """Print what is wrong and end with 1, or say what was looked at."""
    files = read_files(ROOT)
    found = problems_of(files, ROOT)
    found += [f"{what} (shared cluster)" for what in problems_of(on_cluster(files), ROOT)]
    for what in found:
        sys.stderr.write(f"{what}\n")
    if found:
        sys.exit(1)
    sys.stdout.write(f"The bundle of {len(files)} files: no problems in any target.\n")


if __name__ == "__main__":
    main()
