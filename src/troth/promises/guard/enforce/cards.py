"""Card numbers are refused before anything could store them.

Fails open for bodies that nobody hands over (uploads, streams) and that are no text.
"""

from troth.kernel.request import FINE, GuardCheck, Known, Opinion, Refusal, Request
from troth.promises.guard.rules import cards
from troth.promises.guard.rules.origin import is_exempt
from troth.promises.guard.settings.cards import Cards


def checks(settings: Cards) -> tuple[GuardCheck, ...]:
    """The check under these settings."""
    exempt = tuple(prefix.encode() for prefix in settings.exempt)

    def check(request: Request, _: Known) -> Opinion:
        place = cards.place(request)
        if not place or is_exempt(request.path, exempt):
            return FINE
        if not settings.refuse:
            return Opinion(counted="cards.seen")
        return Opinion(refusal=Refusal(slug=cards.SLUG, code=place))

    return (check,)
