"""One ground for each test worker."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from liars import ground as grounds


@pytest.fixture(scope="session")
def place() -> Iterator[grounds.Ground]:
    """Where liars stand."""
    with grounds.ground() as made:
        yield made
