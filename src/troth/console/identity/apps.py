"""Identity as Django knows it: templates, no tables of its own."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Views and templates."""

    name = "troth.console.identity"
    label = "identity"
