"""The first administrator gets a link that works once, never a default password."""

import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from troth.adapters.chance import Dice
from troth.console.records.models import Invitation, Person
from troth.console.settings import ConsoleError
from troth.kernel.site import Site

TOKEN_BYTES = 32
LIFETIME = timedelta(hours=24)
PATH = "/account/setup"


class InvitationError(ConsoleError):
    """The link is unknown, used or expired; which of them is nobody's business."""


def issue(email: str, *, now: datetime, rng: Dice, lifetime: timedelta = LIFETIME) -> str:
    """Make the one open invitation and return its token; earlier ones stop working.

    Raises:
        InvitationError: not a mail address, or there is an administrator already.
    """
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvitationError("not a mail address", where=email) from error
    if Person.objects.filter(is_administrator=True, is_active=True).exists():
        raise InvitationError("there is an administrator already", mend="ask them to invite you")
    token = rng.randbytes(TOKEN_BYTES).hex()
    with transaction.atomic():
        Invitation.objects.filter(used=None).delete()
        Invitation.objects.create(
            token_sha256=_digest(token), email=email, issued=now, expires=now + lifetime
        )
    return token


def link(site: Site, token: str) -> str:
    """What the administrator opens."""
    return f"{site.troth}{PATH}?{urlencode({'token': token})}"


def look(token: str, *, now: datetime) -> Invitation:
    """The open invitation of that token. Raises InvitationError; uses nothing up."""
    digest = _digest(token)
    found = Invitation.objects.filter(token_sha256=digest, used=None, expires__gt=now).first()
    # The database compared digests, of which a guesser knows nothing; once more in constant time.
    if found is None or not hmac.compare_digest(bytes(found.token_sha256), digest):
        raise InvitationError(
            "this link is not valid", mend="ask for a new one: troth up prints it"
        )
    return found


def redeem(token: str, passphrase: str, *, now: datetime) -> Person:
    """Use the invitation up and create the administrator; of two at once, one succeeds.

    Raises:
        InvitationError: the link is not valid (any more).
        ValidationError: Django's, naming what the passphrase lacks; the invitation stays open.
    """
    invitation = look(token, now=now)
    person = Person(email=invitation.email, is_administrator=True, created=now)
    validate_password(passphrase, person)
    person.password = make_password(passphrase)
    with transaction.atomic():
        claimed = Invitation.objects.filter(pk=invitation.pk, used=None, expires__gt=now)
        if claimed.update(used=now) != 1:
            raise InvitationError("this link is not valid", mend="ask for a new one")
        person.save(force_insert=True)
    return person


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
