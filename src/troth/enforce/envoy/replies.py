"""What the edge itself answers: a small page for people, problem+json for programs (RFC 9457).

Every page carries the own header set. The pages name no software and repeat nothing of the
request; the style sheet is a file of its own because the policy allows no inline style.
"""

import json
from html import escape

from troth.engines.envoy.resources import Json, direct, extension, header, header_options, literal
from troth.kernel.fragment import Header
from troth.kernel.request import MARKER

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:18vh auto;padding:0 1.5rem}"
    "h1{font-size:1.6rem;margin:0}p{margin:.6rem 0}small{opacity:.7}"
)

# Status, title, sentence. Source of the numbers: RFC 9110, 15; RFC 6585, 5.
PAGES: tuple[tuple[int, str, str], ...] = (
    (301, "Moved", "This address has moved; your browser follows by itself."),
    (308, "Moved", "This address has moved; your browser follows by itself."),
    (400, "Bad request", "The request could not be understood."),
    (403, "Refused", "This request is not allowed here."),
    (404, "Not found", "There is nothing at this address."),
    (405, "Not allowed", "This way of asking is not allowed here."),
    (408, "Too slow", "The request took too long to arrive. Please try again."),
    (413, "Too large", "What was sent is larger than this service accepts."),
    (421, "Wrong address", "No such service answers here."),
    (426, "Too old", "This way of speaking HTTP is too old for this service."),
    (429, "Too many", "There were too many requests from your address. Please wait a moment."),
    (431, "Header too large", "The request's header is larger than this service accepts."),
    (500, "Error", "Something went wrong here. Please try again later."),
    (501, "Not understood", "This service does not speak that way."),
    (502, "No answer", "The service behind this address gave no usable answer."),
    (503, "Not available", "The service is not available just now. Please try again shortly."),
    (504, "No answer in time", "The service took too long to answer. Please try again."),
)
RETRY_AFTER_S = 5  # a guard or an application that starts again takes a few seconds
FIRST_ERROR = 400
TO_TRY_AGAIN = 503
DENIED = (403, 429)  # what a fragment's filter answers
REFUSED_BY_GUARD = "UAEX"  # Envoy's response flag for a denial by the external authorisation


def style_route(prefix: str) -> Json:
    """The pages' style sheet, below Troth's prefix."""
    css = (("content-type", "text/css; charset=utf-8"),)
    return {"match": {"path": style_path(prefix)}, **direct(200, STYLE, css)}


def style_path(prefix: str) -> str:
    """Where the style sheet is."""
    return f"{prefix}page.css"


def page(title: str, sentence: str, status: int, *, prefix: str) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="{escape(style_path(prefix))}">\n'
        f"<main><h1>{escape(title)}</h1><p>{escape(sentence)}</p>"
        f"<p><small>{status}</small></p></main>\n</html>\n"
    )


def local_replies(
    headers: tuple[Header, ...], *, prefix: str, denials: tuple[tuple[str, str], ...] = ()
) -> Json:
    """The HTTP connection manager's `local_reply_config`.

    The first mapper that fits is the only one, so each carries the whole header set. The guard's
    own refusals keep their body; its absence (503) gets our page. What a fragment's filter refused
    (`denials`: what the details begin with, and the promise) carries the mark of a refusal.
    """
    own = header_options(headers)
    first = [row for row in PAGES if row[0] == TO_TRY_AGAIN]
    others = [row for row in PAGES if row[0] != TO_TRY_AGAIN]
    again = [*own, header("retry-after", str(RETRY_AFTER_S))]
    return {
        "mappers": [
            *(mapper for each in denials for mapper in _denied(*each, own, prefix)),
            *_pair(*first[0], again, prefix),
            {"filter": {"response_flag_filter": {"flags": [REFUSED_BY_GUARD]}}}
            | {"headers_to_add": own},
            *(mapper for row in others for mapper in _pair(*row, own, prefix)),
            {"filter": _status("GE", 0), "headers_to_add": own},
        ]
    }


def _denied(detail: str, promise: str, own: list[Json], prefix: str) -> list[Json]:
    expression = f"response.code_details.startsWith('{detail}')"
    is_denied = {
        "extension_filter": extension(
            "envoy.access_loggers.extension_filters.cel",
            "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            expression=expression,
        )
    }
    marked = [*own, header(MARKER.decode(), promise)]
    return [
        {**mapper, "filter": {"and_filter": {"filters": [is_denied, mapper["filter"]]}}}
        for row in PAGES
        if row[0] in DENIED
        for mapper in _pair(*row, marked, prefix)
    ]


def _pair(status: int, title: str, sentence: str, own: list[Json], prefix: str) -> list[Json]:
    problem = json.dumps({"title": title, "status": status, "detail": sentence}) + "\n"
    wants_json = {
        "header_filter": {
            "header": {
                "name": "accept",
                "string_match": {"safe_regex": {"regex": r"[^,]*\bapplication/(problem\+)?json.*"}},
            }
        }
    }
    is_status = _status("EQ", status)
    html = _body(page(title, sentence, status, prefix=prefix), "text/html; charset=utf-8")
    if status < FIRST_ERROR:
        return [{"filter": is_status, "headers_to_add": own, "body_format_override": html}]
    return [
        {
            "filter": {"and_filter": {"filters": [is_status, wants_json]}},
            "headers_to_add": own,
            "body_format_override": _body(problem, "application/problem+json"),
        },
        {"filter": is_status, "headers_to_add": own, "body_format_override": html},
    ]


def _body(text: str, content_type: str) -> Json:
    return {
        "text_format_source": {"inline_string": literal(text)},
        "content_type": content_type,
    }


def _status(op: str, value: int) -> Json:
    # The key only names a runtime override, which we never set.
    comparison = {"op": op, "value": {"default_value": value, "runtime_key": "troth.none"}}
    return {"status_code_filter": {"comparison": comparison}}
