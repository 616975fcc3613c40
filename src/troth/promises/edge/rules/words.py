"""What stands in for the placeholders of `sentences.toml`: the sentence says what is served."""

from collections.abc import Mapping

from troth.promises.edge.settings import Cors, EdgeSettings, Headers, Tls

_UNITS = (  # seconds, then singular and plural by language
    (
        31_536_000,
        {
            "en": ("year", "years"),
            "it": ("anno", "anni"),
            "de": ("Jahr", "Jahre"),
            "fr": ("an", "ans"),
        },
    ),
    (
        86_400,
        {
            "en": ("day", "days"),
            "it": ("giorno", "giorni"),
            "de": ("Tag", "Tage"),
            "fr": ("jour", "jours"),
        },
    ),
    (
        3_600,
        {
            "en": ("hour", "hours"),
            "it": ("ora", "ore"),
            "de": ("Stunde", "Stunden"),
            "fr": ("heure", "heures"),
        },
    ),
    (
        60,
        {
            "en": ("minute", "minutes"),
            "it": ("minuto", "minuti"),
            "de": ("Minute", "Minuten"),
            "fr": ("minute", "minutes"),
        },
    ),
    (
        1,
        {
            "en": ("second", "seconds"),
            "it": ("secondo", "secondi"),
            "de": ("Sekunde", "Sekunden"),
            "fr": ("seconde", "secondes"),
        },
    ),
)
LANGUAGES = ("en", "it", "de", "fr")

_STOPS = {
    "en": ", so that injected script is kept from running",
    "it": ", così che uno script iniettato non venga eseguito",
    "de": ", damit eingeschleustes Skript nicht ausgeführt wird",
    "fr": ", afin qu'un script injecté ne soit pas exécuté",
}
_TRIES = {
    "en": "; it is on trial: browsers report what it would stop and do not stop it yet",
    "it": "; è in prova: i browser segnalano ciò che fermerebbe e ancora non lo fermano",
    "de": "; sie ist auf Probe: Browser melden, was sie aufhielte, und halten es noch nicht auf",
    "fr": " ; elle est à l'essai : les navigateurs signalent ce qu'elle arrêterait, sans l'arrêter",
}
_INSTEAD = {
    "en": "; a Content-Security-Policy does its work",
    "it": "; il suo lavoro lo fa una Content-Security-Policy",
    "de": "; seine Arbeit übernimmt eine Content-Security-Policy",
    "fr": " ; une Content-Security-Policy fait son travail",
}
_NOT_YET = {
    "en": "; no enforced Content-Security-Policy has taken its place yet",
    "it": "; nessuna Content-Security-Policy applicata ne ha ancora preso il posto",
    "de": "; noch ist keine durchgesetzte Content-Security-Policy an seine Stelle getreten",
    "fr": " ; aucune Content-Security-Policy appliquée ne l'a encore remplacé",
}
_OWN_AUTHORITY = {
    "en": "signed by this installation's own authority, unknown to browsers",
    "it": "firmato dall'autorità propria di questa installazione, ignota ai browser",
    "de": "von der eigenen Stelle dieser Installation signiert, die kein Browser kennt",
    "fr": "signé par l'autorité propre à cette installation, inconnue des navigateurs",
}
_PUBLIC_AUTHORITY = {
    "en": "publicly trusted",
    "it": "riconosciuto pubblicamente",
    "de": "öffentlich anerkannt",
    "fr": "reconnu publiquement",
}
_TRUST_ASIDE = {
    "en": ", its own authority taken as trusted",
    "it": ", considerando fidata la sua propria autorità",
    "de": ", wobei die eigene Stelle als vertrauenswürdig gilt",
    "fr": ", son autorité propre étant tenue pour fiable",
}
_NO_ORIGIN = {
    "en": "none is named at present",
    "it": "al momento nessuna è nominata",
    "de": "derzeit ist keiner genannt",
    "fr": "aucune n'est nommée à présent",
}
_ORIGINS = {
    "en": "these are {}",
    "it": "sono queste: {}",
    "de": "es sind diese: {}",
    "fr": "ce sont celles-ci : {}",
}
_NOBODY = {"en": "none", "it": "nessuna", "de": "keine", "fr": "aucune"}


def words(settings: EdgeSettings) -> Mapping[str, Mapping[str, str]]:
    """By language, what each placeholder of this area's sentences stands for now."""
    return {language: _in(language, settings) for language in LANGUAGES}


def _in(language: str, settings: EdgeSettings) -> Mapping[str, str]:
    is_enforced = settings.csp.mode == "enforced"
    is_public = has_public_root(settings.tls)
    return {
        "hsts_lifetime": lifetime(settings.hsts.max_age_s, language),
        "header_names": ", ".join(header_names(settings.headers)),
        "csp_effect": (_STOPS if is_enforced else _TRIES)[language],
        "xss_successor": (_INSTEAD if is_enforced else _NOT_YET)[language],
        "frame_ancestors": f"'{settings.headers.frame_ancestors}'",
        "referrer_policy": settings.headers.referrer_policy,
        "trust_anchor": (_PUBLIC_AUTHORITY if is_public else _OWN_AUTHORITY)[language],
        "grade_trust": "" if is_public else _TRUST_ASIDE[language],
        "cors_named": _origins(settings.cors, language),
        "readable_cookies": ", ".join(settings.cookies.readable) or _NOBODY[language],
        "public_port": str(settings.port),
        "redirect_port": str(settings.http_port),
    }


def has_public_root(tls: Tls) -> bool:
    """Whether browsers trust the chain by themselves: files that say so, or a public ACME."""
    if tls.authority == "acme":
        return tls.acme is not None and not tls.acme.ca_file
    return tls.authority == "files" and tls.public_root


def _origins(cors: Cors, language: str) -> str:
    if not cors.origins:
        return _NO_ORIGIN[language]
    return _ORIGINS[language].format(", ".join(cors.origins))


def header_names(headers: Headers) -> tuple[str, ...]:
    """The protective headers of the application's answers, as they are spelled."""
    names = ["X-Content-Type-Options", "frame-ancestors", "Referrer-Policy", "Permissions-Policy"]
    if headers.cross_origin_opener_policy:
        names.append("Cross-Origin-Opener-Policy")
    if headers.cross_origin_resource_policy:
        names.append("Cross-Origin-Resource-Policy")
    return tuple(names)


def lifetime(seconds: int, language: str) -> str:
    """A duration in the largest unit that divides it: `2 years`, `5 minutes`."""
    size, names = next(
        unit for unit in _UNITS if (seconds % unit[0] == 0 and seconds >= unit[0]) or unit[0] == 1
    )
    number = seconds // size
    return f"{number} {names[language][number != 1]}"
