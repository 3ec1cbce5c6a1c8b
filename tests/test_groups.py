"""Tests side by side: what shares a server or a Spark runs on one worker.

pytest-xdist reads the groups from private parts of pytest. Where it no longer finds them it groups
nothing and says nothing, and tests of one file fail for want of the tests before them.
"""

import pytest


def test_a_worker_knows_the_group_of_a_test(request: pytest.FixtureRequest, worker_id: str) -> None:
    if worker_id == "master":
        pytest.skip("runs under pytest-xdist only: -n 2 --dist loadgroup")
    assert request.node.nodeid.endswith("@tests/test_groups.py")
