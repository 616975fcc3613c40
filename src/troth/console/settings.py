"""Django's settings, derived from troth.toml. Nothing else configures Django."""

from datetime import timedelta
from typing import Any

import django
from django.conf import settings as configured

from troth.adapters import database
from troth.catalogue import Settings
from troth.kernel.errors import Failure

MIN_PASSPHRASE = 15  # Source: NIST SP 800-63B-4, 3.1.1.2: where it is the only factor
MAX_BODY_BYTES = 64 * 1024
MAX_FIELDS = 50


class ConsoleError(Failure):
    """The console cannot be set up or asked."""


def derive(
    settings: Settings,
    *,
    url: str,
    secret_key: str,
    role: str = "",
    statement: timedelta = database.STATEMENT,
) -> dict[str, Any]:
    """Django's settings for one process.

    Args:
        settings: the whole of troth.toml.
        url: of Troth's database, `postgresql://...`.
        secret_key: 32 random bytes or more as text; signs what Django signs.
        role: whose rights the sessions take on; empty keeps the URL's user.
        statement: the longest that one statement may take.
    """
    host = settings.troth.host
    return {
        "DEBUG": False,
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": [host],
        "ROOT_URLCONF": "troth.console.urls",
        "INSTALLED_APPS": ["troth.console.records", "troth.console.identity"],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",  # refuses other hosts
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "TEMPLATES": [
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        "DATABASES": {"default": _database(url, role, statement)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "records.Person",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": MIN_PASSPHRASE},
            },
            {
                "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ("email",)},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {"NAME": "troth.console.identity.passphrase.MonotonyValidator"},
        ],
        "APPEND_SLASH": False,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGE_CODE": "en",
        "USE_I18N": False,
        # The edge speaks TLS and is the only one that can reach the console's unix socket.
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        # Not no-referrer: browsers then send `Origin: null`, and every form would be refused.
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "CSRF_COOKIE_NAME": "__Host-troth-csrf",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_AGE": None,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": MAX_BODY_BYTES,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": MAX_FIELDS,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 0,
        "LOGGING": {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
        },
    }


def prepare(derived: dict[str, Any]) -> None:
    """Configure Django in this process: once, with one set of settings, before models are imported.

    `schema` and `asgi` may be imported before; `records` and `identity` only after.

    Raises:
        RuntimeError: it is configured already (a bug: two roles in one process).
    """
    configured.configure(**derived)
    django.setup()


def _database(url: str, role: str, statement: timedelta) -> dict[str, Any]:
    parameters = database.secured(url)
    options = {
        "connect_timeout": int(database.CONNECT.total_seconds()),
        "application_name": "troth-console",
        "options": f"-c statement_timeout={int(statement.total_seconds() * 1000)}",
    }
    options |= {key: parameters[key] for key in ("sslmode", "sslrootcert") if key in parameters}
    if role:
        options["assume_role"] = role
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.get("dbname", ""),
        "USER": parameters.get("user", ""),
        "PASSWORD": parameters.get("password", ""),
        "HOST": parameters.get("host", ""),
        "PORT": str(parameters.get("port", "")),
        "OPTIONS": options,
    }
