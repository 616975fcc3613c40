"""People, invitations, findings, the installation."""

from typing import ClassVar

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    """The first tables."""

    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                ("email", models.EmailField(max_length=254)),
                ("is_administrator", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("created", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="person_email_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("promise", models.CharField(max_length=80)),
                ("check_id", models.CharField(max_length=120)),
                ("vantage", models.CharField(max_length=80)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "critical"),
                            ("high", "high"),
                            ("medium", "medium"),
                            ("low", "low"),
                        ],
                        max_length=8,
                    ),
                ),
                ("opened", models.DateTimeField()),
                ("opened_index", models.BigIntegerField()),
                ("closed", models.DateTimeField(null=True)),
                ("closed_index", models.BigIntegerField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed", None)),
                        fields=("check_id", "vantage"),
                        name="finding_open_once",
                    ),
                    models.UniqueConstraint(
                        fields=("check_id", "vantage", "opened_index"), name="finding_read_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed", None), ("closed_index", None)),
                            models.Q(
                                ("closed__isnull", False),
                                ("closed_index__isnull", False),
                                ("closed_index__gt", models.F("opened_index")),
                            ),
                            _connector="OR",
                        ),
                        name="finding_closes_after_it_opened",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["critical", "high", "medium", "low"])),
                        name="finding_severity",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("version", models.CharField(max_length=40)),
                ("created", models.DateTimeField()),
                ("migrated", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="installation_alone")
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_sha256", models.BinaryField(max_length=32, unique=True)),
                ("email", models.EmailField(max_length=254)),
                ("issued", models.DateTimeField()),
                ("expires", models.DateTimeField()),
                ("used", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires__gt", models.F("issued"))),
                        name="invitation_ends",
                    )
                ],
            },
        ),
    ]
