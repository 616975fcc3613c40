"""How every area's declarations are spelled: timings, framework ids."""

from dataclasses import dataclass
from datetime import timedelta

from troth.kernel.model import Check, Control, Method

# Source: design, "Freshness": how often each method runs, and for how long its verdict counts.
_TIMES = {
    Method.LOOK: (timedelta(seconds=20), timedelta(seconds=60)),
    Method.SCAN: (timedelta(minutes=5), timedelta(minutes=15)),
    Method.ATTACK: (timedelta(minutes=5), timedelta(minutes=15)),
    Method.DRILL: (timedelta(days=1), timedelta(hours=26)),
}
_FRAMEWORKS = ("SOC2", "ISO27001:2022", "GDPR")


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one area. `probe` and `judge`: `file:function` of the area's own.

    Where a probe or judge is one file and no package: `:function`.
    """

    area: str

    def check(self, id_: str, method: Method, probe: str, judge: str, command: str) -> Check:
        """A check with its method's own timing."""
        return self.timed(id_, method, *_TIMES[method], probe, judge, command)

    def daily(self, id_: str, method: Method, probe: str, judge: str, command: str) -> Check:
        """As `check`, once a day: for what costs too much to repeat every few minutes."""
        return self.timed(id_, method, *_TIMES[Method.DRILL], probe, judge, command)

    def timed(  # noqa: PLR0913, PLR0917 -- each is one field of a check
        self,
        id_: str,
        method: Method,
        interval: timedelta,
        ttl: timedelta,
        probe: str,
        judge: str,
        command: str,
    ) -> Check:
        """As `check`, with a timing of its own."""
        return Check(
            id=id_,
            method=method,
            interval=interval,
            ttl=ttl,
            probe=self._path("probe", probe),
            judge=self._path("judge", judge),
            command=command,
        )

    def _path(self, side: str, own: str) -> str:
        return f"troth.promises.{self.area}.{side}{'' if own[0] == ':' else '.'}{own}"


def supports(*, soc2: str, iso27001: str, gdpr: str, other: tuple[str, ...]) -> tuple[Control, ...]:
    """The controls a promise supports: ids apart by spaces; `other` are `FRAMEWORK id`."""
    own = zip(_FRAMEWORKS, (soc2, iso27001, gdpr), strict=True)
    named = [Control(framework, id_) for framework, ids in own for id_ in ids.split()]
    apart = [item.partition(" ") for item in other]
    return (*named, *(Control(framework, id_) for framework, _, id_ in apart))
