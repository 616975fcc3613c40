"""The records as Django knows them."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Models and migrations."""

    name = "troth.console.records"
    label = "records"
