"""Whether our engine and libmodsecurity say the same of the same rules.

Run `python bench/agreement.py [--count N] [--paranoia P] [--seed S] [--rules DIR] [--payloads DIR]`.
Requests are made by dice (tests/engines/seclang/generated.py), half an attacker's, with a seed.
Identical means: the same set of rule ids. Counted twice: without the rules that ask a grammar of
SQL or HTML (ours is another than libinjection's: what is compared is the engine), and with them.
What differs is told by rule, with one request each; the reasons stand in
docs/why/0040-crs-exceptions.md. Exit 1 when less than 99.9 % agree without grammars.
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
from troth.engines.seclang import Source, parse
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.transform import FUNCTIONS
from troth.roles import rules

CRS = Path("/usr/share/modsecurity-crs/rules")
WANTED = 0.999
SHOWN = 160  # characters of a request that are shown


def compare(arguments: argparse.Namespace, *, grammars: bool) -> float:
    sources, data = rules.sources_of(arguments.rules)
    if not grammars:
        sources = (*sources, Source("grammars", oracle.GRAMMARS))
    program = seclang.compile(parse(sources, data), paranoia=arguments.paranoia)
    program = program.with_scan(Scanner(program.tests, FUNCTIONS, data))
    apart, example = Counter[str](), dict[str, str]()
    same = alike = ours_s = theirs_s = 0.0
    with tempfile.TemporaryDirectory() as place:
        asked = oracle.crs(sources, data, Path(place), paranoia=arguments.paranoia)
        texts = payloads(arguments.payloads)
        for message in generated.requests(arguments.seed, arguments.count, texts):
            began = time.process_time()
            theirs = set(asked.ids(message)) - oracle.UNTOLD
            middle = time.process_time()
            ours = set(program.inspect(message).rules) - oracle.UNTOLD
            ours_s += time.process_time() - middle
            theirs_s += middle - began
            same += ours == theirs
            alike += all(oracle.is_explained(message, rule) for rule in ours ^ theirs)
            for rule in ours ^ theirs:
                key = f"{rule} {'ours alone' if rule in ours else 'theirs alone'}"
                apart[key] += 1
                example.setdefault(
                    key, f"{message.uri[:SHOWN]!r} {(message.body or b'')[:SHOWN]!r}"
                )
        asked.close()
    share = same / arguments.count
    what = "with the grammars" if grammars else "without the grammars"
    print(
        f"agreement {what}: {share:.3%} of {arguments.count} requests "
        f"({alike / arguments.count:.3%} but for documented faults of libmodsecurity), "
        f"paranoia {arguments.paranoia}, seed {arguments.seed}; CPU a request, ours on RE2 alone "
        f"{ours_s / arguments.count * 1e6:.0f} us, theirs {theirs_s / arguments.count * 1e6:.0f} us"
    )
    for key, count in apart.most_common(20):
        print(f"    {count:5} {key}: {example[key]}")
    return alike / arguments.count


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
    parser.add_argument("--paranoia", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", type=Path, default=CRS)
    parser.add_argument("--payloads", type=Path, default=None)
    arguments = parser.parse_args()
    if not arguments.rules.is_dir():
        print("agreement: skipped, Debian's modsecurity-crs is not installed")
        return 0
    share = compare(arguments, grammars=False)
    compare(arguments, grammars=True)
    return int(share < WANTED)


if __name__ == "__main__":
    sys.exit(main())
