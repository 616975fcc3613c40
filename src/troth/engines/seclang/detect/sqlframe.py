"""What reading knows inside one pair of parentheses: the clause, and the comparison in hand."""

# How much an operand tells: a comparison of two constants is true or false whatever the row is.
_RANK = {kind: rank for rank, kind in enumerate("nscwv(f")}
_BARE = {"n": "b", "s": "b", "c": "b"}
_DECIDED, _TELLING = set("nsc"), set("f(v")


class Frame:
    """What is known inside one pair of parentheses (or outside of all)."""

    __slots__ = (
        "between", "call", "cases", "clause", "code", "compares", "has_from", "is_aliased",
        "is_joined", "is_select", "is_union", "joiner", "left", "name", "right", "same",
    )  # fmt: skip

    def __init__(self, call: bytes = b"") -> None:
        self.call = call
        self.clause = b""
        self.code = self.cases = 0
        self.is_select = self.is_union = self.has_from = False
        self.is_aliased = self.is_joined = self.between = False
        self.joiner = ""
        self.fresh()

    def fresh(self) -> None:
        """Forgets the comparison that is over."""
        self.left = self.right = self.name = ""
        self.compares = self.same = False

    def operand(self, kind: str, name: str) -> None:
        """Takes an operand on the side of the comparison that is being read."""
        if self.compares:
            self.same = not self.right and bool(name) and name == self.name
            if not self.right or _RANK[kind] > _RANK[self.right]:
                self.right = kind
        else:
            self.name = "" if self.left else name
            if not self.left or _RANK[kind] > _RANK[self.left]:
                self.left = kind

    def conjunct(self) -> str:
        """The comparison's class: T decided, F told by a function, C by a name, or what is bare."""
        if not self.left:
            return ""
        if not self.compares or not self.right:
            return _BARE.get(self.left, self.left)
        both = self.left + self.right
        if self.same or not set(both) - _DECIDED:
            return "T"
        return "F" if set(both) & _TELLING else "C"
