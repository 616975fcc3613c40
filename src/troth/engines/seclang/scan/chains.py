"""A value through many chains of transformations: each function once for each distinct outcome.

The chains are a tree that begins at the raw value. A value is at a set of its nodes (all those
whose chains give just that value); a function that leaves it as it is only makes the set larger,
one that changes it makes a second value at other nodes. Sets and what follows them are kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from troth.engines.seclang.scan import tree
from troth.engines.seclang.scan.touch import BY_ENDING, ENDING, TOUCHED

Function = Callable[[bytes], bytes]
Chain = tuple[str, ...]

SHORT = 6  # bytes of a value that some function may touch
MAX_STATES = 4096  # remembered; beyond it they are computed again


@dataclass(slots=True)
class _State:
    """What is known of one value: the nodes it is at, and what functions did to it.

    Args:
        nodes: chains that give it.
        idle: functions that leave it as it is.
        changing: functions that do not, in the order they were tried.
        mask: tests that are asked of it.
        untried: functions that lead on from the nodes and were not tried.
        is_final: there are none.
        step: the next function to try, the state when it changes the value, and when it does not.
            None: not yet worked out.
        moves: when it is final, where the values go that the changing ones made.
    """

    nodes: frozenset[Chain]
    idle: frozenset[str]
    changing: tuple[str, ...]
    mask: int
    untried: list[str]
    is_final: bool = False
    step: "tuple[Function, _State, _State] | None" = None
    moves: "tuple[_Place, ...]" = ()


@dataclass(slots=True)
class _Place:
    """Nodes at which a value arrives, and the states it begins in, by its classes of bytes.

    `quick` has the same for the classes as they stand in a value, where they are few.
    """

    nodes: frozenset[Chain]
    starts: dict[frozenset[int], _State] = field(default_factory=dict)
    quick: dict[bytes, _State] = field(default_factory=dict)


class Chains:
    """The chains of one space.

    Args:
        masks: by chain: the tests (bits) asked of what it gives.
        functions: by name, lower case; each gives a value equal to its argument when it changes
            nothing.

    Raises:
        KeyError: a chain names a function that there is not.
    """

    def __init__(self, masks: Mapping[Chain, int], functions: Mapping[str, Function]) -> None:
        self._masks = dict(masks)
        nodes = {chain[:length] for chain in masks for length in range(len(chain) + 1)} | {()}
        self._after: dict[Chain, list[str]] = {chain: [] for chain in nodes}
        for chain in sorted(nodes - {()}):
            self._after[chain[:-1]].append(chain[-1])
        used = sorted({name for chain in nodes for name in chain})
        self._functions = {name: functions[name] for name in used}
        touched = tree.bits(b"".join(TOUCHED.get(name, b"") for name in used))
        self._untouched = tree.members(tree.ANY & ~touched)
        self._classes = _classes(used)
        self._touched = {
            name: frozenset(TOUCHED[name].translate(self._classes))
            for name in used
            if name in TOUCHED
        }
        self._states: dict[tuple[frozenset[Chain], frozenset[str], tuple[str, ...]], _State] = {}
        self._places: dict[frozenset[Chain], _Place] = {}
        self._root = self._place(frozenset(((),)))
        self._is_ending_asked = not BY_ENDING.isdisjoint(used)
        self._quick: dict[bytes, int] = {}  # the tests of values that no function changes

    def unchanged(self) -> Callable[[bytes], int | None]:
        """The tests asked of a value that no chain changes, where that is known at a glance."""
        classes, untouched, known = self._classes, self._untouched, self._quick.get
        if self._is_ending_asked:
            return lambda value: (
                None if value.endswith(ENDING) else known(value.translate(classes, untouched))
            )
        if not self._after[()]:
            mask = self._masks.get((), 0)
            return lambda _value: mask
        return lambda value: known(value.translate(classes, untouched))

    def outcomes(self, value: bytes) -> Iterable[tuple[bytes, int]]:
        """Each distinct value that some chain gives, with the tests asked of it."""
        found: dict[bytes, int] = {}
        pending = [(value, self._root)]
        while pending:
            now, place = pending.pop()
            marks = now.translate(self._classes, self._untouched)
            if self._is_ending_asked and now[-1:] == ENDING:
                marks = self._classes
            state = place.quick.get(marks) or self._start(place, marks)
            changed: list[bytes] = []
            while not state.is_final:
                step = state.step or self._step(state)
                after = step[0](now)
                if after == now:
                    state = step[2]
                else:
                    changed.append(after)
                    state = step[1]
            found[now] = found.get(now, 0) | state.mask
            if changed:
                pending += zip(changed, state.moves, strict=True)
        return found.items()

    def _place(self, nodes: frozenset[Chain]) -> _Place:
        return self._places.setdefault(nodes, _Place(nodes))

    def _start(self, place: _Place, marks: bytes) -> _State:
        """For a value with these classes of bytes: functions that need others are idle."""
        classes = frozenset(marks)
        state = place.starts.get(classes)
        if state is None:
            touched = self._touched.items()
            idle = frozenset(name for name, by in touched if not by & classes)
            state = self._state(place.nodes, idle, ())
            if len(place.starts) < MAX_STATES:
                place.starts[classes] = state
        if len(marks) <= SHORT and len(place.quick) < MAX_STATES:
            place.quick[marks] = state
            if place is self._root and state.is_final:
                self._quick[marks] = state.mask
        return state

    def _state(
        self, nodes: frozenset[Chain], idle: frozenset[str], changing: tuple[str, ...]
    ) -> _State:
        """With the nodes that idle functions lead to."""
        found, more = set(nodes), set(nodes)
        while more:
            more = {(*c, name) for c in more for name in self._after[c] if name in idle} - found
            found |= more
        key = (frozenset(found), idle, changing)
        return self._states.get(key) or self._made(*key)

    def _made(
        self, nodes: frozenset[Chain], idle: frozenset[str], changing: tuple[str, ...]
    ) -> _State:
        mask = 0
        for chain in nodes:
            mask |= self._masks.get(chain, 0)
        wanted = {name for chain in nodes for name in self._after[chain]}
        state = _State(nodes, idle, changing, mask, sorted(wanted - idle - set(changing)))
        if not state.untried:
            state.is_final = True
            state.moves = tuple(
                self._place(frozenset((*c, name) for c in nodes if name in self._after[c]))
                for name in changing
            )
        if len(self._states) < MAX_STATES:
            self._states[nodes, idle, changing] = state
        return state

    def _step(self, state: _State) -> "tuple[Function, _State, _State]":
        """Choose the next function to try."""
        name = state.untried[0]
        state.step = (
            self._functions[name],
            self._state(state.nodes, state.idle, (*state.changing, name)),
            self._state(state.nodes, state.idle | {name}, state.changing),
        )
        return state.step


def _classes(names: list[str]) -> bytes:
    """A number for each byte: the same where the same functions may be touched by it."""
    numbers: dict[frozenset[str], int] = {}
    made = bytearray(256)
    for byte in range(256):
        of = frozenset(name for name in names if byte in TOUCHED.get(name, b""))
        made[byte] = numbers.setdefault(of, len(numbers))
    return bytes(made)
