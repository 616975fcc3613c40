"""All the spaces of a rule set: on RE2 alone at first, on Hyperscan when it is there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.engines.seclang.detect import layers
from troth.engines.seclang.scan import database
from troth.engines.seclang.scan.chains import Function
from troth.engines.seclang.scan.database import Compiled, Entry, Job
from troth.engines.seclang.scan.memo import DEFAULT_ENTRIES, Sift, remembering
from troth.engines.seclang.scan.needle import Needle, needle
from troth.engines.seclang.scan.space import Answer, Space
from troth.engines.seclang.scan.test import Test

Ask = Callable[[bytes], Answer]
ALIKE = 0.5  # spaces that share this part of their needles share a database


def _nothing(_value: bytes) -> Answer:
    return ()


def _none_of(_values: Sequence[bytes]) -> Sequence[int]:
    return ()


@dataclass(frozen=True, slots=True)
class _Shared:
    """A database to be, and the spaces that will use it."""

    job: Job
    spaces: tuple[str, ...]


class Scanner:
    """Which tests hold for a value, space by space.

    Args:
        tests: what is asked; their numbers are what is answered.
        functions: the transformations by name, lower case.
        data: files by base name.
        entries: of a generation of each space's memo; 0 remembers nothing.

    Raises:
        ValueError: a pattern, a phrase file or an operator that cannot be looked for.
        KeyError: a transformation that there is not.
    """

    def __init__(
        self,
        tests: Iterable[Test],
        functions: Mapping[str, Function],
        data: Mapping[str, bytes] | None = None,
        *,
        entries: int = DEFAULT_ENTRIES,
    ) -> None:
        known: dict[object, int] = {}
        needles: list[Needle] = []
        asked: dict[str, list[tuple[Test, int]]] = {}
        for test in tests:
            key = test.find or (test.operator, test.argument)
            if key not in known:
                known[key] = len(needles)
                needles.append(needle(test, data or {}))
            for name in test.spaces:
                asked.setdefault(name, []).append((test, known[key]))
        self._spaces = {
            name: Space([test for test, _ in pairs], [at for _, at in pairs], needles, functions)
            for name, pairs in asked.items()
        }
        self._hint = len(needles)
        needles.append(Needle(sign=layers.SIGN))
        self._entries = entries
        self._asks = {name: self._ask(space) for name, space in self._spaces.items()}
        self._shared = _share(self._spaces, needles, self._hint)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The databases that make it fast; `compile` each, then `adopt` it."""
        return tuple(shared.job for shared in self._shared)

    def adopt(self, job: Job, compiled: Compiled) -> None:
        """Look by database in the spaces of this job from now on.

        Raises:
            ValueError: the bytes are no database for this machine; all stays as it was.
        """
        for shared in self._shared:
            if shared.job == job:
                scan = database.opened(compiled)
                loose = frozenset(compiled.loose) | _inexact(shared.job, self._spaces)
                for name in shared.spaces:
                    space = self._spaces[name]
                    space.use(scan, loose, frozenset(compiled.absent), self._hint)

    def space(self, name: str) -> Ask:
        """For the raw values of one space. Pure; a space without tests holds nothing."""
        return self._asks[name][0] if name in self._asks else _nothing

    def sift(self, name: str) -> Sift:
        """Which of many raw values of one space must be asked one by one: the others hold nothing.

        Says too many, never too few. Pure.
        """
        return self._asks[name][1] if name in self._asks else _none_of

    def _ask(self, space: Space) -> tuple[Ask, Sift]:
        if not self._entries:
            return space.answer, space.sift
        return remembering(space.answer, space.sift, entries=self._entries)


def _inexact(job: Job, spaces: Mapping[str, Space]) -> frozenset[int]:
    needles = next(iter(spaces.values())).needles
    return frozenset(entry.id for entry in job.entries if not needles[entry.id].is_exact)


def _share(spaces: Mapping[str, Space], needles: list[Needle], hint: int) -> list[_Shared]:
    """Spaces that look for much the same share one database: less memory, warmer caches.

    Where grammars are asked by their signs, `hint` is looked for, too: it says which values have
    other forms, so that most need not be taken apart.
    """
    groups: list[tuple[set[int], list[str]]] = []
    for name in sorted(spaces, key=lambda name: (-len(spaces[name].bits), name)):
        wanted = {number for number in spaces[name].bits if needles[number].is_scanned}
        if not wanted:
            continue
        for group, names in groups:
            if len(group & wanted) >= ALIKE * len(group | wanted):
                group.update(wanted)
                names.append(name)
                break
        else:
            groups.append((wanted, [name]))
    for group, _ in groups:
        if any(needles[number].is_signed for number in group):
            group.add(hint)
    return [
        _Shared(
            Job(tuple(_entry(number, needles[number]) for number in sorted(group))), tuple(names)
        )
        for group, names in groups
    ]


def _entry(number: int, found: Needle) -> Entry:
    return Entry(number, found.expression, tuple(sorted(found.clause)))
