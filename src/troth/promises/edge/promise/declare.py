"""How this area's declarations are spelled: timings, framework ids, a stranger's command."""

from datetime import timedelta

from troth.kernel.model import Check, Control, Method

AREA = "edge"
_PROBES = "troth.promises.edge.probe"
_JUDGES = "troth.promises.edge.judge"
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
    return timed(id_, method, *_TIMES[method], probe, judge, command)


def daily(id_: str, method: Method, probe: str, judge: str, command: str) -> Check:
    """As `check`, once a day: for what costs too much to repeat every few minutes."""
    return timed(id_, method, *_TIMES[Method.DRILL], probe, judge, command)


def timed(  # noqa: PLR0913, PLR0917 -- each is one field of a check
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
        probe=f"{_PROBES}.{probe}",
        judge=f"{_JUDGES}.{judge}",
        command=command,
    )


def on_page(test: str) -> str:
    """A stranger's command: the headers of the application's home page, piped into `test`."""
    return f'curl --cacert "$CA" -sS -o /dev/null -D - "$APP/" | {test}'


def everywhere(test: str) -> str:
    """A stranger's command: `test` on the headers of a page, of a missing one, of Troth's own."""
    return (
        '(for u in "$APP/" "$APP/no-such-page" "$TROTH/trust/" "$TROTH/no-such-page"; do '
        f'curl --cacert "$CA" -sS -o /dev/null -D - "$u" | {test} || exit 1; done)'
    )


def once(pattern: str) -> str:
    """A test for `on_page` and `everywhere`: exactly one header line matches (extended regex)."""
    return f"grep -Eic '^{pattern}' | grep -qx 1"


def supports(*, soc2: str, iso27001: str, gdpr: str, other: tuple[str, ...]) -> tuple[Control, ...]:
    """The controls a promise supports: ids apart by spaces; `other` are `FRAMEWORK id`."""
    own = zip(_FRAMEWORKS, (soc2, iso27001, gdpr), strict=True)
    named = [Control(framework, id_) for framework, ids in own for id_ in ids.split()]
    apart = [item.partition(" ") for item in other]
    return (*named, *(Control(framework, id_) for framework, _, id_ in apart))
