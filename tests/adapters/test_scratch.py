"""Bodies on disk: bounded, nameless, gone."""

import os
from pathlib import Path

import pytest

from troth.adapters import scratch
from troth.adapters.scratch import Room, Scratch, ScratchError, sweep


def test_what_is_written_can_be_read_anywhere_and_has_no_name(tmp_path: Path):
    room = Room(1, 100)
    file = Scratch(tmp_path, room)
    file.write(b"hello ")
    file.write(b"world")

    assert (file.size, file.read(6, 100), file.read(2, 3), file.read(50, 1)) == (
        11, b"world", b"llo", b"",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    assert (room.files, room.bytes) == (1, 11)
    file.close()
    file.close()
    assert (room.files, room.bytes) == (0, 0)


def test_without_the_kernels_help_it_loses_its_name_at_once(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(os, "O_TMPFILE", os.O_CREAT | os.O_DIRECTORY)

    file = Scratch(tmp_path, Room(1, 100))

    file.write(b"x")
    assert (file.read(0, 1), list(tmp_path.iterdir())) == (b"x", [])
    file.close()


def test_what_there_is_no_room_for(tmp_path: Path):
    room = Room(1, 10)
    file = Scratch(tmp_path, room)

    with pytest.raises(ScratchError, match="too many uploads"):
        Scratch(tmp_path, room)
    with pytest.raises(ScratchError, match="too many bytes"):
        file.write(b"x" * 11)
    file.close()
    with pytest.raises(ScratchError, match="cannot keep"):
        Scratch(tmp_path / "none", room)
    assert (room.files, room.bytes) == (0, 0)


def test_a_sweep_takes_what_is_ours_alone(tmp_path: Path):
    folder = tmp_path / "uploads"
    folder.mkdir(mode=0o755)
    (folder / f"{scratch.PREFIX}1").touch()
    (folder / "other").touch()

    assert sweep(folder) == 1
    assert [path.name for path in folder.iterdir()] == ["other"]
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ScratchError):
        sweep(folder / "other")
