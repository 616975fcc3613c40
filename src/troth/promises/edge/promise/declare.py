"""How this area's declarations are spelled: its checks, a stranger's commands."""

from troth.promises.declaring import Checks

AREA = "edge"
_OWN = Checks(AREA)
check, daily, timed = _OWN.check, _OWN.daily, _OWN.timed


def on_page(test: str) -> str:
    """A stranger's command: the headers of the application's home page, piped into `test`."""
    return f'curl --cacert "$CA" -sS -o /dev/null -D - "$APP/" | {test}'


def everywhere(test: str) -> str:
    """A stranger's command: `test` on the headers of a page, of a missing one, of Troth's own."""
    return (
        '(for u in "$APP/" "$APP/no-such-page" "$TROTH/trust/" "$TROTH/no-such-page"; do '
        f'curl --cacert "$CA" -sS -o /dev/null -D - "$u" | {test} || exit 1; done)'
    )


def once(pattern: str) -> str:
    """A test for `on_page` and `everywhere`: exactly one header line matches (extended regex)."""
    return f"grep -Eic '^{pattern}' | grep -qx 1"
