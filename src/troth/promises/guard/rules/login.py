"""What guessing costs: the arithmetic of failed logins.

Four trails, each of marks that somebody failed (Sources: OWASP Authentication Cheat Sheet; NIST SP
800-63B-4, 3.2.2; ASVS 5.0, 6.1.1 and 6.3.1; PCI DSS 4.0.1, 8.3.4):

- *from* an address: the block, and credential stuffing (many accounts, few successes);
- *at* an account: guessing by many addresses slows down, and never locks the owner out;
- *with* a password: spraying (one password, many accounts);
- on a *device* that logged in to that account before: its own lane. What strangers do is not
  counted there, so that they cannot keep the owner out; and it is as bounded as theirs.

An attempt is open from when it is let through until its answer is known, and counts as a failure
until then: who sends a hundred at once gets no more guesses than who sends them one by one.

A password is kept as 3 bytes of a HMAC, in memory only, under a key that dies with the process:
enough to see ten accounts fail with the same one, too little to tell anybody which it was. Where
several guards share their trails (`[counters]`), the key is the operator's, and the server that
keeps the trails for an hour is never told it.
"""

import math
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from troth.kernel.request import Ask, Known, Refusal, Strike
from troth.kernel.trail import NOTHING, Look, Note, Trail, members, within
from troth.promises.guard.rules.addresses import LOGIN
from troth.promises.guard.settings.login import Lockout

BRUTE_FORCE = "brute-force-blocking"
BLOCKED = "ip-block-after-failures"
ACCOUNT_WINDOW = timedelta(hours=1)  # as NIST: what a quiet hour ago happened counts no more
OPEN = timedelta(seconds=30)  # an answer that took longer is no login page
DEVICE_WINDOW = timedelta(days=1)
MAX_DEVICE_FAILURES = 20  # in a day; then it is a stranger's (NIST allows 100 in a row)
FEW_SUCCEED = 0.2  # stuffing succeeds for 0.1 to 2 % of accounts (OWASP Credential Stuffing)
MAX_ACCOUNT = 320  # characters of a name: RFC 5321's longest address
BUSY_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tries to log in; hashes only.

    Args:
        client: the address's key (an IPv6 one by its /64); empty when the edge said none.
        account: keyed hash of the name; empty when the request named nobody.
        secret: short keyed hash of the password; empty when there was none.
        device: of a device that logged in to this account before; empty for a stranger.
    """

    client: str
    account: str = ""
    secret: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of an attempt."""

    notes: tuple[Note, ...]
    strikes: tuple[Strike, ...] = ()


def named(account: str) -> str:
    """An account's name as most applications compare it (NFKC, case, spaces)."""
    return unicodedata.normalize("NFKC", account[:MAX_ACCOUNT]).strip().casefold()


def _from(attempt: Attempt) -> str:
    return f"login-from:{attempt.client}"


def _fine(attempt: Attempt) -> str:
    return f"login-fine:{attempt.client}"


def _at(attempt: Attempt) -> str:
    return f"login-at:{attempt.account}"


def _with(attempt: Attempt) -> str:
    return f"login-with:{attempt.secret}"


def _device(attempt: Attempt) -> str:
    return f"login-device:{attempt.device}.{attempt.account}"


def _open(key: str) -> str:
    return f"open-{key}"


def subject(attempt: Attempt, lockout: Lockout) -> str:
    """Who is banned: the address, on login routes alone unless the operator wants more."""
    return attempt.client if lockout.scope == "all" else LOGIN + attempt.client


def is_known(attempt: Attempt, known: Known) -> bool:
    """Whether the attempt goes in the lane of known devices."""
    if not attempt.device:
        return False
    failures = within(_trail(known, _device(attempt)), known.now, DEVICE_WINDOW)
    return len(failures) < MAX_DEVICE_FAILURES


def refusal(attempt: Attempt, lockout: Lockout, known: Known) -> Refusal | None:
    """Why an attempt is not let through now; None where it is. 403 who is banned, 429 who waits."""
    if is_known(attempt, known):
        wait = _wait(known, _device(attempt), DEVICE_WINDOW, lockout)
        return _later(wait, "device")
    banned = known.bans.get(LOGIN + attempt.client)
    if attempt.client and banned is not None and banned.until > known.now:
        slug, _, code = banned.cause.partition(":")
        return Refusal(slug=slug, code=code, headers=_retry(banned.until - known.now))
    if attempt.client and _is_full(attempt, lockout, known):
        return _later(timedelta(seconds=BUSY_S), "address-busy", slug=BLOCKED)
    if attempt.account:
        wait = _wait(known, _at(attempt), ACCOUNT_WINDOW, lockout)
        if wait:
            return _later(wait, "account")
    return _sprayed(attempt, lockout, known)


def looked(attempt: Attempt) -> Look:
    """What `refusal` and `opening` read, and what is marked of an attempt unless it is refused.

    In both lanes where there are two: which of them it goes in is decided by what is read.
    """
    lanes = _lanes(attempt)
    keys = (*lanes, *map(_open, lanes), *((_with(attempt),) if attempt.secret else ()))
    notes = tuple(Note(key=_open(key), member=attempt.account, window=OPEN) for key in lanes)
    return Look(keys=keys, notes=notes)


def answer_looked(attempt: Attempt, lockout: Lockout, *, has_failed: bool) -> Look:
    """What is read when the answer is known, and what a failure leaves, in both lanes."""
    keys = (_device(attempt),) if attempt.device else ()
    if not has_failed:
        return Look(keys=keys)
    if attempt.client:
        keys = (*keys, _from(attempt), _fine(attempt))
    notes = _marks(attempt, lockout)
    if attempt.device:
        notes = (*notes, _device_mark(attempt))
    return Look(keys=keys, notes=notes)


def _lanes(attempt: Attempt) -> tuple[str, ...]:
    """The trails on which an attempt may be open, of a known device and of a stranger."""
    device = (_device(attempt),) if attempt.device else ()
    client = (_from(attempt),) if attempt.client else ()
    return (*device, *client, *((_at(attempt),) if attempt.account else ()))


def _is_full(attempt: Attempt, lockout: Lockout, known: Known) -> bool:
    """Whether as many are open as could still fail. One may always try: a ban may be lifted."""
    window = timedelta(seconds=lockout.window_s)
    failures = len(within(_trail(known, _from(attempt)), known.now, window))
    opened = len(within(_trail(known, _open(_from(attempt))), known.now, OPEN))
    return opened >= max(1, lockout.failures - failures)


def _wait(known: Known, key: str, window: timedelta, lockout: Lockout) -> timedelta:
    """How long until one more attempt; zero for now."""
    failures = within(_trail(known, key), known.now, window)
    opened = within(_trail(known, _open(key)), known.now, OPEN)
    if len(failures) + len(opened) < lockout.account_failures:
        return timedelta(0)
    if opened:
        return timedelta(seconds=BUSY_S)
    until = failures[-1].at + delay(len(failures) - lockout.account_failures, lockout)
    return max(until - known.now, timedelta(0))


def delay(more: int, lockout: Lockout) -> timedelta:
    """After how long one more attempt is taken, `more` failures beyond the free ones: 1 s, 2, 4."""
    return timedelta(seconds=min(2 ** min(more, 12), lockout.longest_delay_s))


def _sprayed(attempt: Attempt, lockout: Lockout, known: Known) -> Refusal | None:
    """A password that failed at many accounts is taken ever more slowly, from whomever."""
    if not attempt.secret:
        return None
    failures = within(_trail(known, _with(attempt)), known.now, ACCOUNT_WINDOW)
    accounts = len(members(failures))
    if accounts < lockout.same_password:
        return None
    until = failures[-1].at + delay(accounts - lockout.same_password, lockout)
    return _later(max(until - known.now, timedelta(0)), "spraying")


def opening(attempt: Attempt, known: Known) -> tuple[Note, ...]:
    """What is marked of an attempt that is let through."""
    return tuple(
        Note(key=_open(key), member=attempt.account, window=OPEN) for key in _keys(attempt, known)
    )


def closing(attempt: Attempt, known: Known) -> tuple[Note, ...]:
    """Its answer is known: it is open no longer."""
    return tuple(
        Note(key=_open(key), member=attempt.account, is_undone=True, at_most=1)
        for key in _keys(attempt, known)
    )


def _keys(attempt: Attempt, known: Known) -> tuple[str, ...]:
    """The trails of an attempt's lane on which it may be open."""
    if is_known(attempt, known):
        return (_device(attempt),)
    keys = (_from(attempt),) if attempt.client else ()
    return (*keys, _at(attempt)) if attempt.account else keys


def failure(attempt: Attempt, lockout: Lockout, known: Known) -> Counted:
    """What a failure leaves: marks in its lane, and a ban where it was one too many."""
    closed = closing(attempt, known)
    if is_known(attempt, known):
        return Counted((*closed, _device_mark(attempt)))
    cause = _cause(attempt, lockout, known) if attempt.client else ""
    strikes = (_ban(attempt, lockout, cause),) if cause else ()
    return Counted((*closed, *_marks(attempt, lockout)), strikes)


def _device_mark(attempt: Attempt) -> Note:
    return Note(key=_device(attempt), member=attempt.client, window=DEVICE_WINDOW)


def _marks(attempt: Attempt, lockout: Lockout) -> tuple[Note, ...]:
    """What a stranger's failure leaves."""
    notes = []
    if attempt.client:
        window = timedelta(seconds=lockout.window_s)
        notes.append(Note(key=_from(attempt), member=attempt.account, window=window))
    if attempt.account:
        notes.append(Note(key=_at(attempt), member=attempt.client, window=ACCOUNT_WINDOW))
        if attempt.secret:
            notes.append(Note(key=_with(attempt), member=attempt.account, window=ACCOUNT_WINDOW))
    return tuple(notes)


def _cause(attempt: Attempt, lockout: Lockout, known: Known) -> str:
    """Why the address is banned with this failure; empty when it is not."""
    window = timedelta(seconds=lockout.window_s)
    before = within(_trail(known, _from(attempt)), known.now, window)
    if len(before) + 1 >= lockout.failures:
        return f"{BLOCKED}:failures"
    failed = members(before) | {attempt.account}
    fine = members(within(_trail(known, _fine(attempt)), known.now, window))
    if len(failed) >= lockout.accounts and len(fine) < FEW_SUCCEED * (len(failed) + len(fine)):
        return f"{BRUTE_FORCE}:stuffing"
    return ""


def _ban(attempt: Attempt, lockout: Lockout, cause: str) -> Strike:
    """A ban at once: the counter costs more than it holds, so it is over whatever it says."""
    length = timedelta(seconds=lockout.block_s)
    who = subject(attempt, lockout)
    ask = Ask(key=f"login-ban:{who}", limit=1, period=length, burst=1, cost=2)
    return Strike(ask=ask, subject=who, cause=cause, length=length)


def success(attempt: Attempt, lockout: Lockout, known: Known) -> Counted:
    """What a success takes away: the failures of this account from here, and nobody else's.

    An attacker who logs in to an account of their own in between gains nothing by it, and one who
    guesses elsewhere gains nothing by the owner's logging in.
    """
    notes = [*closing(attempt, known)]
    if attempt.device:
        notes.append(Note(key=_device(attempt), is_undone=True))
    if attempt.client:
        window = timedelta(seconds=lockout.window_s)
        notes.append(Note(key=_fine(attempt), member=attempt.account, window=window))
    if attempt.client and attempt.account:
        notes.append(Note(key=_from(attempt), member=attempt.account, is_undone=True))
        notes.append(Note(key=_at(attempt), member=attempt.client, is_undone=True))
    if attempt.secret and attempt.account:
        notes.append(Note(key=_with(attempt), member=attempt.account, is_undone=True))
    return Counted(tuple(notes))


def _trail(known: Known, key: str) -> Trail:
    return known.trails.get(key, NOTHING)


def _later(wait: timedelta, code: str, *, slug: str = BRUTE_FORCE) -> Refusal | None:
    if wait <= timedelta(0):
        return None
    return Refusal(slug=slug, code=code, status=429, headers=_retry(wait))


def _retry(wait: timedelta) -> tuple[tuple[bytes, bytes], ...]:
    seconds = max(1, math.ceil(wait.total_seconds()))
    return ((b"retry-after", str(seconds).encode()),)
