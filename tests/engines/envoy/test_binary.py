import hashlib
from pathlib import Path

import pytest

from troth.engines.envoy import binary
from troth.engines.envoy.errors import EnvoyError


def test_the_wheels_own():
    found = binary.identify(binary.locate())

    assert found.version.startswith("1.40.")
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_the_operators_own(tmp_path):
    mine = tmp_path / "envoy"
    mine.symlink_to(binary.locate())

    assert binary.locate(str(mine)) == mine


def test_a_path_that_is_not_there():
    with pytest.raises(EnvoyError, match=r"\[edge\] binary = /nowhere"):
        binary.locate("/nowhere")


def test_another_program():
    with pytest.raises(EnvoyError, match="is not Envoy"):
        binary.identify(Path("/bin/echo"))
