"""How this area's declarations are spelled: timings, framework ids."""

from datetime import timedelta

from troth.kernel.model import Check, Control, Method

AREA = "guard"
_PROBES = "troth.promises.guard.probe"
_JUDGES = "troth.promises.guard.judge"
# Source: design, "Freshness": how often each method runs, and for how long its verdict counts.
_TIMES = {
    Method.LOOK: (timedelta(seconds=20), timedelta(seconds=60)),
    Method.SCAN: (timedelta(minutes=5), timedelta(minutes=15)),
    Method.ATTACK: (timedelta(minutes=5), timedelta(minutes=15)),
    Method.DRILL: (timedelta(days=1), timedelta(hours=26)),
}
_FRAMEWORKS = ("SOC2", "ISO27001:2022", "GDPR")


def check(id_: str, method: Method, probe: str, judge: str, command: str) -> Check:
    """A check with its method's own timing; `probe`, `judge`: `file:function` of this area."""
    interval, ttl = _TIMES[method]
    return Check(
        id=id_,
        method=method,
        interval=interval,
        ttl=ttl,
        probe=f"{_PROBES}.{probe}",
        judge=f"{_JUDGES}.{judge}",
        command=command,
    )


def supports(*, soc2: str, iso27001: str, gdpr: str, other: tuple[str, ...]) -> tuple[Control, ...]:
    """The controls a promise supports: ids apart by spaces; `other` are `FRAMEWORK id`."""
    own = zip(_FRAMEWORKS, (soc2, iso27001, gdpr), strict=True)
    named = [Control(framework, id_) for framework, ids in own for id_ in ids.split()]
    apart = [item.partition(" ") for item in other]
    return (*named, *(Control(framework, id_) for framework, _, id_ in apart))
