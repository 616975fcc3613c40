"""Hyperscan, gates and RE2 together answer as each operator by itself would."""

import threading
from functools import cache
from pathlib import Path

import pytest
from tests.engines.seclang.scan.values import corpus, values

from troth.engines.seclang.operators import OPERATORS
from troth.engines.seclang.operators.grammar import FLOODS, SIGN_OF
from troth.engines.seclang.scan import Compiled, Scanner, database
from troth.engines.seclang.scan.test import Test as Asked
from troth.engines.seclang.transform import FUNCTIONS

HOUSE = Path(__file__).parents[4]
DATA = {"words.data": b"# words\nboot.ini\n/etc/passwd\n\n  Runtime \n"}
DECODED = ("urldecodeuni", "htmlentitydecode", "lowercase")
# A long alternation with spelling tricks, as shell rules have: too large for Hyperscan.
COMMANDS = "cat wget bash curl chmod python perl nohup printenv uname whoami crontab traceroute"
TRICKY = "|".join(r"[\\'\"]*".join(word) for word in (COMMANDS + " ") * 24)

OPERATORS_ASKED = (
    ("rx", r"(?i)\bunion\b.{0,40}\bselect\b", ("urldecodeuni",)),
    ("rx", r"(?i)<script[^>]*>", DECODED),
    ("rx", r"(?i:on[a-z]{3,20}\s*=)", ("urldecodeuni", "jsdecode", "cssdecode", "removenulls")),
    ("rx", rf"(?:[;|&`\n]|\$\()\s*(?:{TRICKY})\b", ("cmdline",)),
    ("rx", r"(?:[;|&]$|\()\s?(?:^\w|')$", ()),
    ("rx", r"^\w*$", ()),
    ("rx", r"\.\.[/\\]", ()),
    ("rx", r"^$", ()),
    ("rx", r"x*", ()),
    ("rx", r"^[\w.@-]+$", ("lowercase",)),
    ("rx", r"<\?(?!xml)", ()),
    ("rx", r"(\w+)=\1", ("compresswhitespace",)),
    ("rx", r"[\x80-\xff]{2}", ()),
    ("rx", r"\s{2}$", ()),
    ("rx", r"a{0}", ("length",)),
    ("pm", "select sleep( JAVASCRIPT: '", ("urldecodeuni", "lowercase")),
    ("pmfromfile", "words.data", ("normalizepath", "lowercase")),
    ("endswith", "1", ()),
    ("contains", "fox", ("lowercase",)),
    ("gt", "20", ("length",)),
    ("le", "1", ("length",)),
    ("detectxss", "", ()),
)

SELDOM = frozenset(
    {r"(?i)<script[^>]*>", r"(?i)\bunion\b.{0,40}\bselect\b", "select sleep( JAVASCRIPT: '"}
    | {"fox", "20", ""}
)


def asked() -> list[Asked]:
    made = []
    for operator, argument, chain in OPERATORS_ASKED:
        is_plain = operator in {"rx", "pm", "pmfromfile"}
        find = None if is_plain else OPERATORS[operator](argument, DATA)
        for is_negated in (False, True):
            for every_stage in (False, True):
                made.append(Asked(
                    number=len(made) * 3, operator=operator, argument=argument, chain=chain,
                    is_negated=is_negated, every_stage=every_stage, find=find,
                    sign=SIGN_OF.get(operator, b""), flood=FLOODS.get(operator, b""),
                    spaces=frozenset({"ARGS", "OTHER"} if len(made) % 3 else {"ARGS"}),
                ))  # fmt: skip
    return made


@cache
def operator(name: str, argument: str):
    return OPERATORS[name](argument, DATA)


def alone(test: Asked, value: bytes) -> bool:
    """One test by itself, as slowly as can be."""
    find = operator(test.operator, test.argument)
    stages = [value]
    for name in test.chain:
        stages.append(FUNCTIONS[name](stages[-1]))
    seen = stages if test.every_stage else stages[-1:]
    return any((find(text) is None) is test.is_negated for text in seen)


@pytest.fixture(scope="module")
def tests() -> list[Asked]:
    return asked()


@pytest.fixture(scope="module")
def slow(tests) -> Scanner:
    return Scanner(tests, FUNCTIONS, DATA, entries=0)


@pytest.fixture(scope="module")
def compiled(slow) -> list[Compiled]:
    return [database.compile(job) for job in slow.jobs]


@pytest.fixture(scope="module")
def fast(tests, compiled) -> Scanner:
    scanner = Scanner(tests, FUNCTIONS, DATA)
    for job, made in zip(scanner.jobs, compiled, strict=True):
        scanner.adopt(job, made)
    return scanner


def test_on_re2_alone_each_test_holds_where_its_operator_does(tests, slow):
    for value in values(300, 11):
        expected = tuple(test.number for test in tests if alone(test, value))
        assert slow.space("ARGS")(value) == expected


def test_with_databases_the_answers_are_the_same(slow, fast):
    seen = values(4000, 12) + corpus(HOUSE.parent / "shared", 150, 13)
    for value in seen:
        assert fast.space("ARGS")(value) == slow.space("ARGS")(value)
        assert fast.space("OTHER")(value) == slow.space("OTHER")(value)
    # Again, out of the memo.
    assert all(fast.space("ARGS")(v) == slow.space("ARGS")(v) for v in seen[:500])


def plain_tests() -> list[Asked]:
    """As in rule sets: nothing that holds for most values, nothing too large for a database."""
    made = [test for test in asked() if not test.is_negated and not test.every_stage]
    return [test for test in made if test.argument in SELDOM]


@pytest.mark.parametrize("entries", [0, 64])
def test_of_what_a_sift_leaves_out_nothing_holds(entries):
    known = Scanner(plain_tests(), FUNCTIONS, DATA, entries=entries)
    for job in known.jobs:
        known.adopt(job, database.compile(job))
    seen = [*values(3000, 15), *(b"item_%d" % n for n in range(100)), b"<" * 600]

    for name in ("ARGS", "OTHER"):
        answers = [known.space(name)(value) for value in seen]
        for again in range(2):  # the second time out of the memo
            left = known.sift(name)(seen)
            held = {at for at, answer in enumerate(answers) if answer}
            assert held <= set(left), again
            assert list(left) == sorted(set(left))
            assert len(left) < len(seen) - 100, "nothing was sifted out"


def test_before_there_is_a_database_and_where_tests_are_negated_all_are_left(slow, fast):
    assert list(slow.sift("ARGS")([b"a", b"b"])) == [0, 1]
    assert list(fast.sift("ARGS")([b"a", b"b"])) == [0, 1]
    assert list(fast.sift("NOWHERE")([b"a", b"b"])) == []


def test_every_kind_of_place_is_in_use(compiled):
    assert any(made.absent for made in compiled), "none was put aside"
    assert all(made.blob for made in compiled)


def test_a_space_that_nobody_asks_holds_nothing(fast):
    assert fast.space("NOWHERE")(b"' or 1=1 --") == ()


def test_threads_may_share_a_scanner(slow, fast):
    seen = [value * 50 for value in values(150, 14)]
    expected = [slow.space("ARGS")(value) for value in seen]
    wrong: list[bytes] = []

    def run() -> None:
        ask = fast.space("ARGS")
        wrong.extend(v for v, known in zip(seen, expected, strict=True) if ask(v) != known)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


@pytest.mark.parametrize(
    ("test", "error"),
    [
        (Asked(number=0, operator="rx", argument="("), ValueError),
        (Asked(number=0, operator="pmfromfile", argument="none.data"), ValueError),
        (Asked(number=0, operator="eq", argument="1"), ValueError),
        (
            Asked(number=0, operator="rx", argument="a", chain=("no",), spaces=frozenset("A")),
            KeyError,
        ),
    ],
)
def test_what_cannot_be_looked_for_is_refused(test: Asked, error: type[Exception]):
    with pytest.raises(error):
        Scanner([test], FUNCTIONS, DATA)
