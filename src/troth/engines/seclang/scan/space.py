"""One space: the tests that its values are put to, as arithmetic on bits.

A test is one bit. For each distinct outcome of the chains there is a mask of the tests that ask it;
for each needle the bits of the tests that look for it. What was found, with the negated tests
turned over, under the mask, is what holds.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from troth.engines.seclang.detect.layers import MANY, forms, is_flood
from troth.engines.seclang.scan import tree
from troth.engines.seclang.scan.chains import Chain, Chains, Function
from troth.engines.seclang.scan.needle import Gate, Needle
from troth.engines.seclang.scan.required import is_single_bytes
from troth.engines.seclang.scan.test import Test
from troth.engines.seclang.scan.touch import chain_of

_LENGTH = ("length",)
_KEPT_LENGTHS = 1024

Answer = tuple[int, ...]
Look = Callable[[bytes, int], int]
Scan = Callable[[bytes, list[int]], object]


class Space:
    """The tests of one class of variables.

    Args:
        tests: in any order.
        wanted: for each of them the number of its needle.
        needles: all of the scanner's.
        functions: the transformations by name.

    Raises:
        KeyError: a chain names a transformation that there is not.
    """

    def __init__(
        self,
        tests: Sequence[Test],
        wanted: Sequence[int],
        needles: Sequence[Needle],
        functions: Mapping[str, Function],
    ) -> None:
        order = sorted(range(len(tests)), key=lambda at: tests[at].number)
        self.numbers = tuple(tests[at].number for at in order)
        self.needles = needles
        self.bits: dict[int, int] = {}  # of each needle wanted here
        self._turned = 0
        masks: dict[Chain, int] = {}
        by_length: list[tuple[int, Test]] = []
        for place, at in enumerate(order):
            bit, test = 1 << place, tests[at]
            if test.chain == _LENGTH and test.find is not None and not test.every_stage:
                by_length.append((bit, test))
                continue
            self.bits[wanted[at]] = self.bits.get(wanted[at], 0) | bit
            self._turned |= bit if test.is_negated else 0
            names = chain_of(test.chain)
            first = 0 if test.every_stage else len(names)
            for length in range(first, len(names) + 1):
                stage = names[:length]
                masks[stage] = masks.get(stage, 0) | bit
        chains = Chains(masks, functions)
        self._outcomes, self._unchanged = chains.outcomes, chains.unchanged()
        self._tiny: dict[bytes, Answer] = {}
        self._by_length = _by_length(by_length) if by_length else None
        self._is_length_alone = not masks
        self._everywhere = sum(
            bits
            for number, bits in self.bits.items()
            if needles[number].is_constant and needles[number].phrases is None
        )
        self._look = self.slow()
        self._sift: Callable[[Sequence[bytes]], Sequence[int]] | None = None

    def use(self, scan: Scan, loose: frozenset[int], absent: frozenset[int], hint: int) -> None:
        """Look by database from now on, which reports needles by their numbers.

        Args:
            scan: puts the numbers of the needles it finds into a list.
            loose: those that must be confirmed.
            absent: those that it does not know.
            hint: the number by which it says that a value has other forms.
        """
        self._look = self.fast(scan, loose, absent, hint)
        self._sift = self._sifting(scan, absent, hint)

    def sift(self, values: Sequence[bytes]) -> Sequence[int]:
        """Which of them must be asked one by one, by their places; of the others nothing holds."""
        return range(len(values)) if self._sift is None else self._sift(values)

    def _sifting(
        self, scan: Scan, absent: frozenset[int], hint: int
    ) -> Callable[[Sequence[bytes]], Sequence[int]] | None:
        """In one loop what is soon said of most values: no chain changes it, it has no needle.

        None where something may hold for such values, too.
        """
        asked = [
            self.needles[n] for n in self.bits if n in absent or not self.needles[n].is_scanned
        ]
        finds = tuple(needle.find for needle in asked if needle.find is not None)
        if self._everywhere or self._turned or hint in absent or len(finds) < len(asked):
            return None
        unchanged, by_length, wanted = self._unchanged, self._by_length, {*self.bits, hint}

        def sift(values: Sequence[bytes]) -> Sequence[int]:
            left: list[int] = []
            found: list[int] = []
            for at, value in enumerate(values):
                size = len(value)
                if size > MANY or unchanged(value) is None or (by_length and by_length(size)):
                    left.append(at)
                    continue
                scan(value, found)
                if found:
                    is_clean = wanted.isdisjoint(found)
                    found.clear()
                    if not is_clean:
                        left.append(at)
                        continue
                for find in finds:
                    if find(value):
                        left.append(at)
                        break
            return left

        return sift

    def answer(self, value: bytes) -> Answer:
        """The numbers of the tests that hold for a value, rising.

        Of values of one byte or none there are 257: theirs are kept.
        """
        if len(value) > 1:
            return self._answer(value)
        known = self._tiny.get(value)
        if known is None:
            known = self._tiny[value] = self._answer(value)
        return known

    def _answer(self, value: bytes) -> Answer:
        held = 0
        if self._by_length is not None:
            held = self._by_length(len(value))
            if self._is_length_alone and not held:
                return ()
        turned = self._turned
        mask = self._unchanged(value)
        if mask is not None:
            if mask:
                held |= (self._look(value, mask) ^ turned) & mask
        else:
            look = self._look
            for outcome, mask in self._outcomes(value):
                if mask:
                    held |= (look(outcome, mask) ^ turned) & mask
        if not held:
            return ()
        found = []
        while held:
            bit = held & -held
            found.append(self.numbers[bit.bit_length() - 1])
            held ^= bit
        return tuple(found)

    def slow(self) -> Look:
        """Each needle by itself, behind its gate."""
        return _one_by_one(self.needles, self._sought(self.bits), self._everywhere)

    def fast(
        self,
        scan: Scan,
        loose: frozenset[int],
        absent: frozenset[int],
        hint: int,
    ) -> Look:
        """By database; see `use`."""
        of, everywhere = self.bits, self._everywhere
        searches = {number: self.needles[number] for number in loose if number in of}
        beside = {n: of[n] for n in of if n in absent or not self.needles[n].is_scanned}
        scanned = sum(of.values()) - sum(beside.values())
        signed = frozenset(n for n in searches if self.needles[n].sign)
        of_signed, more = sum(map(of.__getitem__, signed)), _signs(scan, signed, self.needles)
        is_hinted, looks = hint not in absent, self._beside(beside)

        def look(value: bytes, mask: int) -> int:
            held = everywhere
            found: list[int] = []
            if mask & scanned:
                scan(value, found)
                if mask & of_signed and (hint in found or not is_hinted or len(value) > MANY):
                    found = more(value, found)
            for number in found:
                bits = of.get(number, 0)
                if not bits & mask or bits & held == bits:
                    continue
                if number in searches and not searches[number].search(value):
                    continue
                held |= bits
            for bits, look_beside in looks:
                if mask & bits:
                    held |= look_beside(value, mask)
            return held

        return look

    def _beside(self, beside: Mapping[int, int]) -> list[tuple[int, Look]]:
        """Operators that no sign tells of one by one; patterns together.

        Those that want a byte out of a set apart from all others: most values have none.
        """
        needles = self.needles
        looks = [(bits, _asking(bits, f)) for n, bits in beside.items() if (f := needles[n].find)]
        patterns = {n: bits for n, bits in beside.items() if needles[n].find is None}
        gated = {n: bits for n, bits in patterns.items() if is_single_bytes(needles[n].clause)}
        others = {n: bits for n, bits in patterns.items() if n not in gated}
        return looks + [
            (sum(part.values()), _one_by_one(needles, self._sought(part), 0))
            for part in (gated, others)
            if part
        ]

    def _sought(self, wanted: Mapping[int, int]) -> list[tuple[int, int]]:
        return [(n, bits) for n, bits in wanted.items() if not self.needles[n].is_constant]


def _asking(bits: int, find: Callable[[bytes], object]) -> Look:
    return lambda value, _mask: bits if find(value) else 0


def _by_length(tests: Sequence[tuple[int, Test]]) -> Callable[[int], int]:
    """The bits of those that hold for a value of that length: they see nothing else of it."""
    known: dict[int, int] = {}

    def held(length: int) -> int:
        bits = known.get(length)
        if bits is None:
            text = b"%d" % length
            bits = sum(bit for bit, test in tests if is_found(test, text) != test.is_negated)
            if len(known) < _KEPT_LENGTHS:
                known[length] = bits
        return bits

    def is_found(test: Test, text: bytes) -> bool:
        return test.find is not None and bool(test.find(text))

    return held


def _signs(
    scan: Scan,
    signed: frozenset[int],
    needles: Sequence[Needle],
) -> Callable[[bytes, list[int]], list[int]]:
    """What was found in a value, with those that a sign in another form of it calls for."""
    floods = tuple((n, needles[n].flood) for n in sorted(signed) if needles[n].flood)

    def more(value: bytes, found: list[int]) -> list[int]:
        known = forms(value)
        if len(known) <= 1 and len(value) <= MANY:
            return found
        called: list[int] = []
        for form in known[1:]:
            scan(form.text, called)
        for text in [form.text for form in known] or [value]:
            if len(text) > MANY:
                called += [n for n, marks in floods if is_flood(text, marks)]
        return [*found, *(n for n in dict.fromkeys(called) if n in signed and n not in found)]

    return more


def _one_by_one(
    needles: Sequence[Needle], sought: Sequence[tuple[int, int]], everywhere: int
) -> Look:
    """By RE2 alone. Needles behind the same gate are asked only when it lets the value through."""
    gates: dict[object, tuple[Gate | None, list[tuple[int, Needle]]]] = {}
    for number, bits in sought:
        gate = needles[number].gate
        clause = needles[number].clause if gate else None
        gates.setdefault(clause, (gate, []))[1].append((bits, needles[number]))
    gated = [
        (sum(bits for bits, _ in behind), gate, tuple(behind)) for gate, behind in gates.values()
    ]
    # Where every clause asks for a byte of a set, one that holds none of them all passes at once.
    chars = {needles[number].clause for number, _ in sought}
    is_open = not all(map(is_single_bytes, chars))
    harmless = tree.members(tree.ANY & ~tree.folded(tree.bits(b"".join(chain(*chars)))))

    def look(value: bytes, mask: int) -> int:
        held = everywhere
        if not is_open and not value.translate(None, harmless):
            return held
        low = value.lower()
        for of_all, gate, behind in gated:
            if of_all & mask and (gate is None or gate(low)):
                for bits, needle in behind:
                    if bits & mask and needle.search(value):
                        held |= bits
        return held

    return look
