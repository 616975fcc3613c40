# ruff: noqa: RUF001 -- apostrophes as printers set them
"""What a visitor reads when a request is refused: a small page in the visitor's language, or JSON.

The page holds no script and no style of its own (it names the edge's style sheet); it repeats
nothing of the request, so nothing of the request can run in it. The event id is what a visitor
quotes and an operator finds in the log.
"""

import json

from troth.enforce.wire import Reply
from troth.kernel.request import MARKER, Headers

EVENT = b"troth-event"  # the id under which a refusal is logged

# For a guard without an edge; the edge writes its own header set over this one.
POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
STYLE_SHEET = "page.css"  # served by the edge below Troth's prefix

MAX_PREFERENCES = 20

# title, what happened, what to do
_REFUSED = {
    "en": (
        "This request was refused",
        "It broke one of this site’s security rules, so it was stopped before it had any effect.",
        (
            "Go back to the page you came from, load it again and try once more. If it is refused "
            "again, tell the site’s operator the number below."
        ),
    ),
    "it": (
        "Questa richiesta è stata rifiutata",
        (
            "Violava una delle regole di sicurezza di questo sito ed è stata fermata prima di "
            "avere qualsiasi effetto."
        ),
        (
            "Torna alla pagina da cui provieni, ricaricala e riprova. Se viene rifiutata di nuovo, "
            "comunica al gestore del sito il numero qui sotto."
        ),
    ),
    "de": (
        "Diese Anfrage wurde abgelehnt",
        (
            "Sie verstieß gegen eine Sicherheitsregel dieser Website und wurde aufgehalten, "
            "bevor sie etwas bewirken konnte."
        ),
        (
            "Gehen Sie zur vorherigen Seite zurück, laden Sie sie neu und versuchen Sie es noch "
            "einmal. Wird sie wieder abgelehnt, nennen Sie dem Betreiber die Nummer unten."
        ),
    ),
    "fr": (
        "Cette requête a été refusée",
        (
            "Elle enfreignait une règle de sécurité de ce site et a été arrêtée avant d’avoir le "
            "moindre effet."
        ),
        (
            "Revenez à la page précédente, rechargez-la et réessayez. Si la requête est de nouveau "
            "refusée, communiquez le numéro ci-dessous à l’exploitant du site."
        ),
    ),
}
_UNAVAILABLE = {
    "en": (
        "This site cannot answer right now",
        "The check that every request goes through is not available, so nothing is let through.",
        "Nothing was changed. Please try again in a minute.",
    ),
    "it": (
        "Al momento questo sito non può rispondere",
        (
            "Il controllo a cui ogni richiesta è sottoposta non è disponibile: nulla viene "
            "lasciato passare."
        ),
        "Nulla è stato modificato. Riprova fra un minuto.",
    ),
    "de": (
        "Diese Website kann gerade nicht antworten",
        (
            "Die Prüfung, die jede Anfrage durchläuft, ist nicht verfügbar; deshalb wird nichts "
            "durchgelassen."
        ),
        "Es wurde nichts geändert. Bitte versuchen Sie es in einer Minute noch einmal.",
    ),
    "fr": (
        "Ce site ne peut pas répondre pour le moment",
        "Le contrôle par lequel passe chaque requête n’est pas disponible : rien n’est accepté.",
        "Rien n’a été modifié. Veuillez réessayer dans une minute.",
    ),
}
_WITHHELD = {
    "en": (
        "This answer was withheld",
        (
            "The site’s answer held something that must not leave it, such as the inside of an "
            "error, so it was not sent."
        ),
        (
            "What you asked for may have been done. If you expected to see something here, tell "
            "the site’s operator the number below."
        ),
    ),
    "it": (
        "Questa risposta è stata trattenuta",
        (
            "La risposta del sito conteneva qualcosa che non deve uscirne, come i dettagli interni "
            "di un errore, e non è stata inviata."
        ),
        (
            "Ciò che hai chiesto potrebbe essere stato eseguito. Se qui ti aspettavi di vedere "
            "qualcosa, comunica al gestore del sito il numero qui sotto."
        ),
    ),
    "de": (
        "Diese Antwort wurde zurückgehalten",
        (
            "Die Antwort der Website enthielt etwas, das nicht nach außen gehört, etwa das Innere "
            "eines Fehlers; deshalb wurde sie nicht gesendet."
        ),
        (
            "Was Sie wollten, ist vielleicht geschehen. Wenn Sie hier etwas erwartet haben, nennen "
            "Sie dem Betreiber die Nummer unten."
        ),
    ),
    "fr": (
        "Cette réponse a été retenue",
        (
            "La réponse du site contenait quelque chose qui ne doit pas en sortir, comme les "
            "détails internes d’une erreur ; elle n’a donc pas été envoyée."
        ),
        (
            "Votre demande a peut-être été exécutée. Si vous vous attendiez à voir quelque chose "
            "ici, communiquez le numéro ci-dessous à l’exploitant du site."
        ),
    ),
}
_NUMBER = {"en": "Number", "it": "Numero", "de": "Nummer", "fr": "Numéro"}
UNAVAILABLE = 503


def refusal(
    status: int, slug: str, event: str, headers: Headers, *, prefix: str, is_answer: bool = False
) -> Reply:
    """The answer to a refused request.

    Args:
        status: 4xx, or 503 when the guard itself failed.
        slug: the promise that refused, or `guard` for the machine.
        event: the id under which it is logged: hex digits.
        headers: of the request, for language and form.
        prefix: below which Troth answers, `/-/`.
        is_answer: what was refused is the application's answer.
    """
    own: Headers = (
        (MARKER, slug.encode()),
        (EVENT, event.encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, accept-language"),
    )
    if status == UNAVAILABLE:
        own += ((b"retry-after", b"5"),)
    if wants_json(headers):
        error = "withheld" if is_answer else "refused"
        body = json.dumps({"error": error, "promise": slug, "event": event}).encode()
        return Reply(
            status=status, headers=(*own, (b"content-type", b"application/json")), body=body
        )
    language = preferred(headers)
    own += (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-language", language.encode()),
        (b"content-security-policy", POLICY.encode()),
    )
    text = html(status, language, event, prefix=prefix, is_answer=is_answer)
    return Reply(status=status, headers=own, body=text.encode())


def html(status: int, language: str, event: str, *, prefix: str, is_answer: bool = False) -> str:
    """The page itself. Language, event and prefix are ours: nothing in it needs escaping."""
    said = _UNAVAILABLE if status == UNAVAILABLE else _WITHHELD if is_answer else _REFUSED
    title, what, then = said[language]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n"
        f'<link rel="stylesheet" href="{prefix}{STYLE_SHEET}">\n'
        f"<main><h1>{title}</h1><p>{what}</p><p>{then}</p>"
        f"<p><small>{_NUMBER[language]}: <code>{event}</code></small></p></main>\n</html>\n"
    )


def wants_json(headers: Headers) -> bool:
    """Whether the caller names JSON and not HTML."""
    accepted = b",".join(value for name, value in headers if name == b"accept").lower()
    return b"json" in accepted and b"text/html" not in accepted


def preferred(headers: Headers) -> str:
    """The first of our languages in the order the visitor prefers (RFC 9110, 12.5.4); else `en`."""
    accepted = b",".join(value for name, value in headers if name == b"accept-language")
    best, best_weight = "en", 0.0
    for item in accepted.decode("ascii", "replace").split(",")[:MAX_PREFERENCES]:
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in _REFUSED and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    is_number = value.isascii() and value.replace(".", "", 1).isdigit()
    return float(value) if name.strip() == "q" and is_number else 0.0
