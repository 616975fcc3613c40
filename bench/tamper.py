"""Random single changes to a published log and its evidence; each must be detected by verify.py.

    python bench/tamper.py [COUNT] [SEED]        10,000 changes unless told otherwise

Every change is tried on a fresh copy in memory, by the stranger's own program. The exit code is 1
when a change went unseen; its kind and seed are printed.
"""

import base64
import collections
import functools
import importlib.util
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

HOUSE = Path(__file__).parent.parent
Tree = dict[str, bytes]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


class Unchanged(Exception):  # noqa: N818 -- not an error: throw again
    """The dice made no difference; throw again."""


def pick(dice: random.Random, tree: Tree, *parts: str) -> str:
    return dice.choice(sorted(name for name in tree if any(part in name for part in parts)))


def flip(dice: random.Random, tree: Tree) -> None:
    """One byte anywhere in the log."""
    name = pick(dice, tree, "log/")
    raw = bytearray(tree[name])
    raw[dice.randrange(len(raw))] ^= dice.randrange(1, 256)
    tree[name] = bytes(raw)


def flip_evidence(dice: random.Random, tree: Tree) -> None:
    """One character of an envelope in the ring of looks."""
    text = tree["api/v1/looks"].decode()
    at = dice.randrange(text.index("[") + 1, text.rindex("]"))
    changed = text[:at] + chr((ord(text[at]) ^ dice.randrange(1, 64)) & 127) + text[at + 1 :]
    try:
        if json.loads(changed)["rounds"] == json.loads(text)["rounds"]:
            raise Unchanged
    except (ValueError, KeyError):
        pass  # no JSON any more: a change for certain
    tree["api/v1/looks"] = changed.encode()


def leaves_of(raw: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        found.append(raw[at:end])
        at = end
    return found


def entries(change: Callable[[random.Random, list[bytes]], None], dice, tree: Tree) -> None:
    name = pick(dice, tree, "entries")
    leaves = leaves_of(tree[name])
    before = list(leaves)
    change(dice, leaves)
    if leaves == before:
        raise Unchanged
    tree[name] = b"".join(leaves)


def delete_leaf(dice: random.Random, leaves: list[bytes]) -> None:
    del leaves[dice.randrange(len(leaves))]


def repeat_leaf(dice: random.Random, leaves: list[bytes]) -> None:
    leaves.insert(dice.randrange(len(leaves)), dice.choice(leaves))


def reorder_leaves(dice: random.Random, leaves: list[bytes]) -> None:
    one, other = dice.sample(range(len(leaves)), 2)
    leaves[one], leaves[other] = leaves[other], leaves[one]


def swap_leaf(dice: random.Random, leaves: list[bytes]) -> None:
    leaves[dice.randrange(len(leaves))] = dice.choice(leaves)


def back_date_leaf(dice: random.Random, leaves: list[bytes]) -> None:
    """Another day in a leaf, its signature left as it was."""
    at = dice.randrange(len(leaves))
    outer = json.loads(leaves[at][2:])
    outer["payload"] = back_dated(dice, outer["payload"])
    raw = json.dumps(outer, sort_keys=True, separators=(",", ":")).encode()
    leaves[at] = len(raw).to_bytes(2, "big") + raw


def back_dated(dice: random.Random, payload: str) -> str:
    text = base64.b64decode(payload)
    day = text.find(b'"at":"2026-01-') if dice.random() < 0.5 else -1
    day = day + 14 if day >= 0 else text.find(b'"collected":"2026-01-') + 21
    if day < 21 and b'"at":"2026-01-' not in text:
        raise Unchanged
    changed = text[:day] + b"%02d" % dice.randrange(1, 20) + text[day + 2 :]
    if changed == text:
        raise Unchanged
    return base64.b64encode(changed).decode()


def delete_file(dice: random.Random, tree: Tree) -> None:
    del tree[pick(dice, tree, "log/")]


def truncate(dice: random.Random, tree: Tree) -> None:
    name = pick(dice, tree, "log/")
    tree[name] = tree[name][: dice.randrange(len(tree[name]))]


def swap_files(dice: random.Random, tree: Tree) -> None:
    one, other = pick(dice, tree, "log/"), pick(dice, tree, "log/")
    if tree[one] == tree[other]:
        raise Unchanged
    tree[one], tree[other] = tree[other], tree[one]


def fork(dice: random.Random, tree: Tree, forked: Tree) -> None:
    """A file of another log, rightly signed by another key under the same name."""
    name = pick(dice, {k: v for k, v in forked.items() if k in tree}, "log/")
    if tree[name] == forked[name]:
        raise Unchanged
    tree[name] = forked[name]


def roll_back(_dice: random.Random, tree: Tree, older: Tree) -> None:
    """The log as it truly was before: rightly signed, and shorter."""
    for name in [name for name in tree if name.startswith("log/")]:
        del tree[name]
    tree.update({name: raw for name, raw in older.items() if name.startswith("log/")})


def ring(change: Callable[[random.Random, list[dict]], None], dice, tree: Tree) -> None:
    told = json.loads(tree["api/v1/looks"])
    before = json.dumps(told["rounds"])
    change(dice, told["rounds"])
    if json.dumps(told["rounds"]) == before:
        raise Unchanged
    tree["api/v1/looks"] = json.dumps(told).encode()


def who(envelope: dict) -> str:
    return json.loads(base64.b64decode(envelope["payload"]))["predicate"]["troth"]["vantage"]


def delete_round(dice: random.Random, rounds: list[dict]) -> None:
    """Any but the oldest of its vantage: a ring forgets those by design."""
    at = dice.randrange(len(rounds))
    if who(rounds[at]) not in [who(envelope) for envelope in rounds[:at]]:
        raise Unchanged
    del rounds[at]


def reorder_rounds(dice: random.Random, rounds: list[dict]) -> None:
    one, other = sorted(dice.sample(range(len(rounds)), 2))
    if who(rounds[one]) != who(rounds[other]):
        raise Unchanged
    rounds[one], rounds[other] = rounds[other], rounds[one]


def back_date_round(dice: random.Random, rounds: list[dict]) -> None:
    envelope = dice.choice(rounds)
    envelope["payload"] = back_dated(dice, envelope["payload"])


def swap_payloads(dice: random.Random, rounds: list[dict]) -> None:
    one, other = dice.sample(rounds, 2)
    part = dice.choice(["payload", "signatures"])
    one[part] = other[part]


def page(change: Callable[[random.Random, dict], None], dice, tree: Tree) -> None:
    told = json.loads(tree["api/v1/promises.json"])
    before = json.dumps(told)
    change(dice, told)
    if json.dumps(told) == before:
        raise Unchanged
    tree["api/v1/promises.json"] = json.dumps(told).encode()


def swap_evidence(dice: random.Random, told: dict) -> None:
    """Another place, verdict, time or vantage for a look that is shown."""
    looks = [look for p in told["promises"] for c in p["checks"] for look in c["looks"]]
    one, other = dice.sample(looks, 2)
    name = dice.choice(["evidence", "verdict", "collected", "expires", "vantage", "reason"])
    one[name] = other[name]


def better_state(dice: random.Random, told: dict) -> None:
    one, other = dice.sample(told["promises"], 2)
    name = dice.choice(["state", "reason", "claim", "severity", "controls"])
    one[name] = other[name]


def another_head(dice: random.Random, told: dict) -> None:
    told["log"]["size"] += dice.choice([-1, 1]) * dice.randrange(1, 9)


def page_word(dice: random.Random, tree: Tree) -> None:
    """Another state in a page."""
    name = pick(dice, tree, "trust/")
    state = dice.choice([b"proven", b"failing", b"stale", b"attested"])
    parts = tree[name].split(b'data-state="')
    at = dice.randrange(1, len(parts))
    parts[at] = state + parts[at][parts[at].index(b'"') :]
    if (changed := b'data-state="'.join(parts)) == tree[name]:
        raise Unchanged
    tree[name] = changed


CHANGES: dict[str, Callable[[random.Random, Tree], None]] = {
    "flip a byte of the log": flip,
    "flip a character of evidence": flip_evidence,
    **{
        change.__name__.replace("_", " "): functools.partial(entries, change)
        for change in (delete_leaf, repeat_leaf, reorder_leaves, swap_leaf, back_date_leaf)
    },
    "delete a file of the log": delete_file,
    "truncate a file of the log": truncate,
    "swap two files of the log": swap_files,
    **{
        change.__name__.replace("_", " "): functools.partial(ring, change)
        for change in (delete_round, reorder_rounds, back_date_round, swap_payloads)
    },
    **{
        change.__name__.replace("_", " "): functools.partial(page, change)
        for change in (swap_evidence, better_state, another_head)
    },
    "another state in a page": page_word,
}


def snapshot(place: Path) -> Tree:
    files = [path for path in place.rglob("*") if path.is_file() and ".writer" not in path.parts]
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


class Bench:
    """The honest tree, and the stranger's program reading from memory instead of a disk."""

    def __init__(self, place: Path) -> None:
        self.verify = load(HOUSE / "src/troth/publish/static/verify.py")
        published = load(HOUSE / "tests/publish/static/published.py")
        made = published.installation(filler=280)
        whole = list(made.leaves)
        made.leaves = whole[:-3]
        published.publish(place, made)
        older = snapshot(place)
        made.leaves = whole[-3:]
        append(place, published, made.leaves)
        made.leaves = whole
        root = self.root(place)
        published.write_pages(place, published.document(made, root))
        self.honest = {
            name: raw
            for name, raw in snapshot(place).items()
            if not name.startswith("log/") or name == "log/checkpoint" or self.is_read(name, whole)
        }
        other = published.installation(filler=280)
        other.leaves[10], other.leaves[11] = other.leaves[11], other.leaves[10]
        published.publish(place / "theirs", other, who="thief")
        forked = snapshot(place / "theirs")
        self.changes = {
            **CHANGES,
            "a file of a fork": functools.partial(fork, forked=forked),
            "roll the log back": functools.partial(roll_back, older=older),
        }
        self.verify.get = self.get
        self.verify.SAMPLE = 40  # as in a large log: most leaves' signatures are not looked at
        # One signature over one message by one key is right or wrong for ever.
        self.verify.check = functools.lru_cache(maxsize=None)(self.verify.check)
        self.tree = self.honest
        self.run()

    def root(self, place: Path) -> str:
        lines = (place / "log/checkpoint").read_text("utf-8").split("\n")
        return base64.b64decode(lines[2]).hex()

    def is_read(self, name: str, leaves: list[bytes]) -> bool:
        """Whether it belongs to the present head: older partial tiles are for older heads."""
        width = name.rpartition(".p/")[2]
        return not width.isdecimal() or int(width) in (len(leaves) % 256, len(leaves) // 256)

    def get(self, _where: str, path: str, _limit: int) -> bytes:
        for name in (path, path + ".html", path + "index.html"):
            if name in self.tree:
                return self.tree[name]
        raise self.verify.Disagreement(f"{path}: missing")

    def run(self) -> str:
        return self.verify.verify("copy", key="", is_all=False, seed=1)

    def is_detected(self, kind: str, seed: int) -> bool:
        """Change one thing, and let the stranger look."""
        dice = random.Random(f"{kind} {seed}")
        while True:
            self.tree = dict(self.honest)
            try:
                self.changes[kind](dice, self.tree)
                break
            except Unchanged:
                continue
        try:
            self.run()
        except Exception:  # noqa: BLE001 -- odd input of any kind is a detection, as in main()
            return True
        return False


def append(place: Path, published: ModuleType, leaves: list[bytes]) -> None:
    key = published.NoteSigner.from_private(published.ORIGIN, published.key("ledger"))
    log = published.Log.open(place / "log", key, now=published.NOW)
    log.append(leaves, published.NOW)
    log.close()


def main(count: int = 10_000, seed: int = 1) -> int:
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place))
        started, seen, missed = time.monotonic(), collections.Counter(), []
        for number in range(count):
            kind = list(bench.changes)[number % len(bench.changes)]
            if bench.is_detected(kind, seed * count + number):
                seen[kind] += 1
            else:
                missed.append((kind, seed * count + number))
        for kind in bench.changes:
            lost = sum(1 for other, _ in missed if other == kind)
            print(f"{seen[kind]:6} of {seen[kind] + lost:6}  {kind}")
        for kind, number in missed[:20]:
            print(f"NOT DETECTED: {kind}, seed {number}")
        took = time.monotonic() - started
        print(f"{count - len(missed)} of {count} changes detected in {took:.0f} s (seed {seed})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
