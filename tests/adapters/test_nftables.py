"""The packet filter: what `nft` is given, and what it says when it may not."""

import shutil
import subprocess
from datetime import timedelta

import pytest

from troth.adapters import nftables
from troth.adapters.nftables import NftError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def nft(tmp_path):
    """A program that writes down how it was called."""
    program = tmp_path / "nft"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/argv\ncat > {tmp_path}/stdin\n')
    program.chmod(0o755)
    return program


def test_one_table_set_as_a_whole(nft, tmp_path):
    bans = [("192.0.2.1", MINUTE), ("2001:db8:1:2::/64", MINUTE * 2), ("192.0.2.2", MINUTE / 120)]

    nftables.set_banned(bans, str(nft))

    assert (tmp_path / "argv").read_text() == "-f -\n"
    said = (tmp_path / "stdin").read_text()
    assert said.startswith("table inet troth\ndelete table inet troth\ntable inet troth {")
    assert "add element inet troth banned4 { 192.0.2.1 timeout 60s, 192.0.2.2 timeout 1s }" in said
    assert "add element inet troth banned6 { 2001:db8:1:2::/64 timeout 120s }" in said
    assert "ip saddr @banned4 counter drop" in said


def test_none_is_an_empty_table_and_clearing_takes_it_away(nft, tmp_path):
    nftables.set_banned([], str(nft))
    assert "add element" not in (tmp_path / "stdin").read_text()

    nftables.clear(str(nft))
    assert (tmp_path / "stdin").read_text() == "table inet troth\ndelete table inet troth\n"


def test_they_are_bounded(nft, tmp_path, monkeypatch):
    monkeypatch.setattr(nftables, "MOST", 2)
    nftables.set_banned([(f"192.0.2.{n}", MINUTE) for n in range(9)], str(nft))

    assert (tmp_path / "stdin").read_text().count("timeout 60s") == 2


def test_who_may_not_is_told_what_to_do(tmp_path):
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n")
    program.chmod(0o755)

    for wrong in (str(program), str(tmp_path / "none")):
        with pytest.raises(NftError) as caught:
            nftables.set_banned([], wrong)
        assert "CAP_NET_ADMIN" in caught.value.mend
        assert caught.value.where == wrong


def test_the_real_one_understands_it():
    if not shutil.which("nft"):
        pytest.skip("no nft here (Debian: apt install nftables)")
    checked = subprocess.run(
        ["unshare", "-n", "nft", "-c", "-f", "-"],
        input=nftables._RULES.format(table="troth"), text=True, capture_output=True, check=False,
    )  # fmt: skip
    if "not permitted" in checked.stderr:
        pytest.skip("no network namespaces here")
    assert checked.returncode == 0, checked.stderr
