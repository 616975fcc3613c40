"""Whether our engine and libmodsecurity say the same of the same rules.

Run `python bench/agreement.py [--count N] [--paranoia P] [--seed S] [--rules DIR] [--payloads DIR]`.
Requests are made by dice (tests/engines/seclang/generated.py), half an attacker's, with a seed.
Identical means: the same set of rule ids, all rules of the set being asked. At paranoia 1 and 4, or
at the level given. Two shares each: raw, and but for faults of libmodsecurity, which are counted by
kind and described in docs/why/0040-crs-exceptions.md. What differs without such a reason is told by
rule, with one request each. Exit 1 when less than 99.9 % agree but for those faults.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "engines" / "seclang"))

import generated
import oracle

from troth.engines import seclang
from troth.engines.seclang import parse
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.transform import FUNCTIONS
from troth.roles import rules

CRS = Path("/usr/share/modsecurity-crs/rules")
WANTED = 0.999
LEVELS = (1, 4)
SHOWN = 160  # characters of a request that are shown


def compare(arguments: argparse.Namespace, paranoia: int) -> float:
    sources, data = rules.sources_of(arguments.rules)
    program = seclang.compile(parse(sources, data), paranoia=paranoia)
    program = program.with_scan(Scanner(program.tests, FUNCTIONS, data))
    faults, apart, example = Counter[str](), Counter[str](), dict[str, str]()
    same = alike = ours_s = theirs_s = 0.0
    with tempfile.TemporaryDirectory() as place:
        asked = oracle.crs(sources, data, Path(place), paranoia=paranoia)
        texts = payloads(arguments.payloads)
        for message in generated.requests(arguments.seed, arguments.count, texts):
            began = time.process_time()
            theirs = set(asked.ids(message)) - oracle.UNTOLD
            middle = time.process_time()
            ours = set(program.inspect(message).rules) - oracle.UNTOLD
            ours_s += time.process_time() - middle
            theirs_s += middle - began
            rest = oracle.unexplained(message, ours, theirs)
            same += ours == theirs
            alike += not rest
            found = {oracle.fault(message, n, is_ours=n in ours) for n in ours ^ theirs}
            faults.update(found - {None})
            for rule in rest:
                key = f"{rule} {'ours alone' if rule in ours else 'theirs alone'}"
                apart[key] += 1
                example.setdefault(
                    key, f"{message.uri[:SHOWN]!r} {(message.body or b'')[:SHOWN]!r}"
                )
        asked.close()
    count = arguments.count
    print(
        f"agreement at paranoia {paranoia}: {same / count:.3%} of {count} requests raw, "
        f"{alike / count:.3%} but for documented faults of libmodsecurity, seed {arguments.seed}; "
        f"CPU a request, ours on RE2 alone {ours_s / count * 1e6:.0f} us, "
        f"theirs {theirs_s / count * 1e6:.0f} us"
    )
    for key, number in faults.most_common():
        print(f"    {number:5} requests: {key}")
    for key, number in apart.most_common(20):
        print(f"    {number:5} unexplained: {key}: {example[key]}")
    return alike / count


def payloads(folder: Path | None) -> tuple[str, ...]:
    if folder is None:
        return ()
    lines = (
        line
        for path in sorted(folder.rglob("*.txt"))
        for line in path.read_text("utf-8", "replace").splitlines()
    )
    return tuple(dict.fromkeys(line for line in lines if 0 < len(line) < 300))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--paranoia", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", type=Path, default=CRS)
    parser.add_argument("--payloads", type=Path, default=None)
    arguments = parser.parse_args()
    if not arguments.rules.is_dir():
        print("agreement: skipped, Debian's modsecurity-crs is not installed")
        return 0
    levels = LEVELS if arguments.paranoia is None else (arguments.paranoia,)
    shares = [compare(arguments, level) for level in levels]
    return int(min(shares) < WANTED)


if __name__ == "__main__":
    sys.exit(main())
