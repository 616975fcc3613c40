"""The views that lower rooms see instead of the tables."""

from typing import ClassVar

from django.db import migrations

_INSTALLATION = """
CREATE VIEW installation AS
    SELECT version, created, migrated FROM records_installation
"""
_OPEN_FINDINGS = """
CREATE VIEW open_findings AS
    SELECT promise, check_id, vantage, severity, opened, opened_index
    FROM records_finding WHERE closed IS NULL
"""


class Migration(migrations.Migration):
    """Each view can be dropped again."""

    dependencies: ClassVar = [("records", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(_INSTALLATION, "DROP VIEW installation"),
        migrations.RunSQL(_OPEN_FINDINGS, "DROP VIEW open_findings"),
    ]
