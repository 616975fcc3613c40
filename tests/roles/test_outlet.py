"""What a child says arrives whole, whenever it says it."""

import asyncio
from pathlib import Path

import pytest

from troth.roles.outlet import Outlet


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000])
def test_all_of_it_and_in_order(tmp_path, size):
    said = bytes(range(256)) * (size // 256 + 1)

    async def play():
        outlet = Outlet(tmp_path / "x.log")
        child = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=outlet.descriptor)
        outlet.hand_over()
        await child.communicate(said[:size])
        outlet.close()

    asyncio.run(play())

    assert (tmp_path / "x.log").read_bytes() == said[:size]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_child_that_never_was(tmp_path):
    async def play():
        before = open_files()
        outlet = Outlet(tmp_path / "x.log")
        outlet.close()
        return before, open_files()

    before, after = asyncio.run(play())

    assert before == after
    assert (tmp_path / "x.log").read_bytes() == b""
