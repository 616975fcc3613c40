"""The tables. What must always hold is a constraint here, not a habit of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from troth.kernel.model import Severity

if TYPE_CHECKING:
    from datetime import datetime


class Person(AbstractBaseUser):
    """Somebody with an account; known by a mail address, whatever its capitals."""

    email: models.EmailField[str, str] = models.EmailField(max_length=254)
    is_administrator: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    objects: ClassVar[models.Manager[Person]] = models.Manager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        """One account for an address."""

        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="person_email_once"),
        ]

    def __str__(self) -> str:
        return f"person {self.pk}"  # no address: this ends up in logs


class Invitation(models.Model):
    """A single-use link to become the first administrator; of its token only the digest is kept."""

    token_sha256: models.BinaryField[bytes, bytes] = models.BinaryField(max_length=32, unique=True)
    email: models.EmailField[str, str] = models.EmailField(max_length=254)
    issued: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    expires: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    used: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Invitation]] = models.Manager()

    class Meta:
        """It ends after it begins."""

        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(expires__gt=F("issued")), name="invitation_ends"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Finding(models.Model):
    """A promise seen broken: opened by the first fail of a vantage, closed by its next pass.

    `opened_index` and `closed_index` are the leaves of the log that say so.
    """

    promise: models.CharField[str, str] = models.CharField(max_length=80)
    check_id: models.CharField[str, str] = models.CharField(max_length=120)
    vantage: models.CharField[str, str] = models.CharField(max_length=80)
    severity: models.CharField[str, str] = models.CharField(
        max_length=8, choices=[(severity.value, severity.value) for severity in Severity]
    )
    opened: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    opened_index: models.BigIntegerField[int, int] = models.BigIntegerField()
    closed: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    closed_index: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)

    objects: ClassVar[models.Manager[Finding]] = models.Manager()

    class Meta:
        """At most one is open for a check and vantage, and the log read again opens none twice."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("check_id", "vantage"), condition=Q(closed=None), name="finding_open_once"
            ),
            models.UniqueConstraint(
                fields=("check_id", "vantage", "opened_index"), name="finding_read_once"
            ),
            models.CheckConstraint(
                condition=Q(closed=None, closed_index=None)
                | Q(closed__isnull=False, closed_index__isnull=False)
                & Q(closed_index__gt=F("opened_index")),
                name="finding_closes_after_it_opened",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=[severity.value for severity in Severity]),
                name="finding_severity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_id} from {self.vantage}, leaf {self.opened_index}"


class Installation(models.Model):
    """One row: which code brought the schema to where it is."""

    id: models.PositiveSmallIntegerField[int, int] = models.PositiveSmallIntegerField(
        primary_key=True, default=1
    )
    version: models.CharField[str, str] = models.CharField(max_length=40)
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    migrated: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    objects: ClassVar[models.Manager[Installation]] = models.Manager()

    class Meta:
        """There is only one."""

        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="installation_alone"),
        ]

    def __str__(self) -> str:
        return self.version
