"""Judges of what the public knows of our certificates: stamps, logs, and who may issue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.judge.facts import rate
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

# Source: Chrome's CT policy: a list older than ten weeks is no longer relied upon; two stamps of
# different operators, three for lifetimes over 180 days.
LIST_FRESH_FOR = timedelta(days=70)
LONG_LIFE = timedelta(days=180)
FEW, MORE = 2, 3


class Stamp(Struct, frozen=True):
    """One stamp; `log` and `operator` are empty for a log that the list does not name."""

    log: str
    operator: str
    is_valid: bool


class Stamps(Struct, frozen=True):
    """What the scan of stamps brings.

    Args:
        stamps: those in the certificate.
        life_s: of the certificate.
        listed: when the list of logs was made.
        at: of the look.
        logs: how many logs the list names: the control.
    """

    stamps: list[Stamp]
    life_s: int
    listed: datetime
    at: datetime
    logs: int


@judging
def stamps(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Enough valid stamps, of different operators, by a list of logs that is not old."""
    seen = shaped(facts, Stamps)
    if not seen.listed.tzinfo or not seen.at.tzinfo:
        raise Unseen("a time without its zone")
    if seen.logs < 1 or not timedelta(0) <= seen.at - seen.listed <= LIST_FRESH_FOR:
        raise Unseen("the list of logs is empty, or older than 70 days")
    needed = MORE if seen.life_s > LONG_LIFE.total_seconds() else FEW
    if any(stamp.log and not stamp.is_valid for stamp in seen.stamps):
        return Judgement(Verdict.FAIL, "a stamp in the certificate is not its log's")
    valid = [stamp for stamp in seen.stamps if stamp.is_valid]
    operators = {stamp.operator for stamp in valid}
    if len(valid) >= needed and len(operators) >= FEW:
        return Judgement(
            Verdict.PASS, f"{len(valid)} stamps of {len(operators)} operators of logs are valid"
        )
    if len(seen.stamps) >= needed:
        raise Unseen("the list does not name the logs that stamped the certificate")
    return Judgement(Verdict.FAIL, f"{len(valid)} of {needed} stamps are in the certificate")


class Logs(Struct, frozen=True):
    """What the scan of the logs brings.

    Args:
        logged: certificates on record for our names that have not expired.
        foreign: those whose key is not one of ours.
        has_served: whether the certificate that we serve is among them: the control.
    """

    logged: int
    foreign: int
    has_served: bool


@judging
def logs(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Nobody else holds a certificate for our names; the search does know our own."""
    seen = shaped(facts, Logs)
    if not 0 <= seen.foreign <= seen.logged:
        raise Unseen("the facts are not as the probe writes them")
    if not seen.has_served and not seen.foreign:
        raise Unseen("the search does not know the certificate that is served")
    return rate(
        seen.foreign,
        seen.logged,
        "certificates on record for our names have a key that is not ours",
        "certificates on record for our names have keys of ours",
    )


class Caa(Struct, frozen=True):
    """What the DNS says.

    Args:
        exists: whether the resolver knows our name at all: the control.
        records: of the name, or of the first above it that has any.
    """

    exists: bool
    records: list[str]


@judging
def caa(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """A CAA record names who may issue (RFC 8659)."""
    seen = shaped(facts, Caa)
    if not seen.exists:
        raise Unseen("the resolver does not know the name")
    named = [record for record in seen.records if record.split()[1:2] in (["issue"], ["issuewild"])]
    if not named:
        return Judgement(Verdict.FAIL, "no CAA record names who may issue")
    return Judgement(Verdict.PASS, f"{len(named)} CAA records name who may issue")
