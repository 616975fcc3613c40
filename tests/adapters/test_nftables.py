"""The packet filter: what `nft` is given, what it says when it may not, and on real packets."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from troth.adapters import nftables
from troth.adapters.nftables import Held, NftError

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

    nftables.set_banned(bans, program=str(nft))

    assert (tmp_path / "argv").read_text() == "-f -\n"
    said = (tmp_path / "stdin").read_text()
    assert said.startswith("add table inet troth\n")
    assert "flush set inet troth banned4" in said
    assert "ct count" not in said
    assert "add element inet troth banned4 { 192.0.2.1 timeout 60s, 192.0.2.2 timeout 1s }" in said
    assert "add element inet troth banned6 { 2001:db8:1:2::/64 timeout 120s }" in said
    assert "ip saddr @banned4 counter drop" in said


def test_what_an_address_holds_is_counted_where_it_is_said(nft, tmp_path):
    nftables.set_banned([], Held(256, (443, 80)), str(nft))

    said = (tmp_path / "stdin").read_text()
    assert "tcp dport { 443, 80 } ct state new add @held4 { ip saddr ct count over 256 }" in said
    assert "ffff:ffff:ffff:ffff:: ct count over 256" in said
    assert "reject with tcp reset" in said


def test_none_is_an_empty_table_and_clearing_takes_it_away(nft, tmp_path):
    nftables.set_banned([], program=str(nft))
    assert "add element" not in (tmp_path / "stdin").read_text()

    nftables.clear(str(nft))
    assert (tmp_path / "stdin").read_text() == "table inet troth\ndelete table inet troth\n"


def test_they_are_bounded(nft, tmp_path, monkeypatch):
    monkeypatch.setattr(nftables, "MOST", 2)
    nftables.set_banned([(f"192.0.2.{n}", MINUTE) for n in range(9)], program=str(nft))

    assert (tmp_path / "stdin").read_text().count("timeout 60s") == 2


def test_who_may_not_is_told_what_to_do(tmp_path):
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n")
    program.chmod(0o755)

    for wrong in (str(program), str(tmp_path / "none")):
        with pytest.raises(NftError) as caught:
            nftables.set_banned([], program=wrong)
        assert "CAP_NET_ADMIN" in caught.value.mend
        assert caught.value.where == wrong


# In a network namespace of our own: the edge's machine. A second one, joined by a pair of virtual
# cables, is where the clients are.
SCENE = """
import json, socket, subprocess, sys, time
from datetime import timedelta
from troth.adapters import nftables

def run(*words):
    subprocess.run(words, check=True, timeout=20)

far = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 120"],
                       stdout=subprocess.PIPE)
far.stdout.readline()
there = ("nsenter", "-t", str(far.pid), "-n")
try:
    run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", str(far.pid))
    for words, device, ours in (((), "v0", ["10.9.0.1/24", "fd00:9::1/48"]), (there, "v1", [
        "10.9.0.2/24", "10.9.0.3/24", "fd00:9:0:2::2/48", "fd00:9:0:2::3/48", "fd00:9:0:3::2/48",
    ])):
        for address in ours:
            nodad = ["nodad"] if ":" in address else []
            run(*words, "ip", "address", "add", address, "dev", device, *nodad)
        run(*words, "ip", "link", "set", "lo", "up")
        run(*words, "ip", "link", "set", device, "up")
    door = socket.create_server(("::", 8443), family=socket.AF_INET6, backlog=512,
                                dualstack_ipv6=True)
    client = subprocess.Popen([*there, sys.executable, "-c", CLIENT], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)

    def ask(*words):
        client.stdin.write(json.dumps(words) + "\\n")
        client.stdin.flush()
        return json.loads(client.stdout.readline())

    MINUTE = timedelta(minutes=1)
    said = {"free": ask("10.9.0.2", 1)}
    held = nftables.Held(8, (8443, 8080))
    nftables.set_banned([("10.9.0.3", MINUTE)], held)
    said["banned"] = ask("10.9.0.3", 1)
    said["not banned"] = ask("10.9.0.2", 1)
    said["flood of one that holds one"] = ask("10.9.0.2", 500)
    nftables.set_banned([], held)
    said["no longer banned"] = ask("10.9.0.3", 1)
    said["counted on, though bans changed"] = ask("10.9.0.2", 5)
    said["flood of a /64"] = ask("fd00:9:0:2::2", 20)
    said["its neighbour"] = ask("fd00:9:0:2::3", 1)
    said["another /64"] = ask("fd00:9:0:3::2", 1)
    nftables.set_banned([("fd00:9:0:3::/64", MINUTE)], held)
    said["a /64 banned"] = ask("fd00:9:0:3::2", 1)
    nftables.set_banned([], None)
    said["not counted"] = ask("10.9.0.2", 20)
    nftables.clear()
    left = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    said["left"] = left.stdout
    client.stdin.close()
    client.wait(20)
    print(json.dumps(said))
finally:
    far.kill()
"""
CLIENT = """
import json, socket, sys
held = []
for line in sys.stdin:
    source, count = json.loads(line)
    to = "fd00:9::1" if ":" in source else "10.9.0.1"
    opened = 0
    for _ in range(count):
        try:
            held.append(socket.create_connection((to, 8443), timeout=2, source_address=(source, 0)))
            opened += 1
        except OSError as error:
            print(error, file=sys.stderr)
    print(opened, flush=True)
"""


def test_real_packets_of_the_banned_and_of_who_holds_too_much():
    """In namespaces that the test makes; nothing of this machine's own network is touched."""
    if not all(map(shutil.which, ("nft", "ip", "unshare", "nsenter"))):
        pytest.skip("no nft, ip, unshare or nsenter here (Debian: apt install nftables iproute2)")
    may = subprocess.run(
        ["unshare", "-rn", "nft", "add", "table", "inet", "troth"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    if may.returncode:
        pytest.skip(f"no network namespaces with nft here: {may.stderr.strip()[:200]}")

    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", f"CLIENT = {CLIENT!r}\n{SCENE}"],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("left") == ""
    assert said == {
        "free": 1,
        "banned": 0,
        "not banned": 1,
        "flood of one that holds one": 7,
        "no longer banned": 1,
        "counted on, though bans changed": 0,
        "flood of a /64": 8,
        "its neighbour": 0,
        "another /64": 1,
        "a /64 banned": 0,
        "not counted": 20,
    }
