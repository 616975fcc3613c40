"""The bench: see `bench.py`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from troth.publish.render import Press


def bench_module() -> ModuleType:
    """`bench.py`, which no package holds."""
    name = "troth_tests_publish_bench"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("bench.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def bench(tmp_path):
    made = bench_module().Bench(tmp_path / "log")
    yield made
    made.close()


@pytest.fixture(scope="session")
def press():
    return Press.load()
