"""The shapes of what the probes of this area saw, and what a judge demands before it judges."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.judging import Unseen, shaped

OK = range(200, 300)
REDIRECTS = range(300, 400)
FORBIDDEN = 403
# Every kind of answer that one round of looks brings home; a judge of headers demands them all:
# the application's page and its "not there", the guard's refusal, an error that the edge itself
# makes, and Troth's own host.
KINDS = frozenset({"page", "missing", "refused", "edge", "trust"})
OWN = frozenset({"refused", "edge", "trust", "trust-missing", "status"})  # not the application's


class Answer(Struct, frozen=True):
    """One HTTP response.

    `headers` has a key for each name that the probe looked for, in lower case, with every value in
    order: a header that was absent is an empty list, one that was not looked for has no key.
    """

    kind: str
    status: int
    headers: dict[str, list[str]]
    has_body: bool = True

    def all(self, name: str) -> list[str]:
        """Every value of a header. Raises Unseen when the probe did not look for it."""
        if name not in self.headers:
            raise Unseen(f"the probe did not look for {name}")
        return self.headers[name]

    def only(self, name: str) -> str | None:
        """The header's value when it is there exactly once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


class Answers(Struct, frozen=True):
    """What the header probes bring: HTTPS answers, and those of the plain listener."""

    answers: list[Answer]
    plain: list[Answer] = []


def answers(facts: Mapping[str, Any]) -> Answers:
    """The answers, with every kind of `KINDS` among them and each truly of its kind."""
    seen = shaped(facts, Answers)
    if missing := KINDS - {answer.kind for answer in seen.answers}:
        raise Unseen(f"no answer of the kind {min(missing)!r} was seen")
    if not any(a.kind == "page" and a.status in OK for a in seen.answers):
        raise Unseen("the application's page was not seen")
    if not any(a.kind == "refused" and a.status == FORBIDDEN for a in seen.answers):
        raise Unseen("the guard's refusal was not seen")
    return seen


def rate(bad: int, looked_at: int, what: str, good: str) -> Judgement:
    """`fail` with the rate when anything was bad, else `pass`; `error` when nothing was seen."""
    if looked_at <= 0:
        raise Unseen("nothing was looked at")
    if bad:
        return Judgement(Verdict.FAIL, f"{bad} of {looked_at} {what}")
    return Judgement(Verdict.PASS, f"{looked_at} {good}")


def count(items: Iterable[bool]) -> int:
    """How many are true."""
    return sum(items)
