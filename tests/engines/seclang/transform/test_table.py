"""Tables of replacements stay small."""

from troth.engines.seclang.transform import table


def test_each_match_is_replaced_and_what_was_made_is_kept():
    asked = []

    def one(found: bytes) -> bytes:
        asked.append(found)
        return found[1:].upper()

    replace = table.replacing(rb"\$[a-z]+", one)

    assert replace(b"$a-$b-$a.") == b"A-B-A."
    assert asked == [b"$a", b"$b"]
    assert replace(b"none") == b"none"


def test_long_spellings_and_too_many_are_not_kept():
    count = 0

    def one(found: bytes) -> bytes:
        nonlocal count
        count += 1
        return b"."

    replace = table.replacing(rb"[0-9a-z]+", one)
    replace(b" ".join(b"%x" % number for number in range(table._MOST + 100)))
    replace(b"x" * (table._LONGEST + 1))
    before = count

    replace(b"x" * (table._LONGEST + 1) + b" 0 %x" % (table._MOST + 50))

    assert count == before + 2  # neither the long one nor the late one was kept; 0 was
