"""The EICAR test file: harmless, and by agreement called malware by every scanner.

Source: EICAR, "Anti-Malware Testfile": 68 bytes at the very beginning, followed at most by white
space up to 128 bytes. Here it counts wherever a file begins with it, whatever follows.
"""

# Written backwards, so that no scanner takes this file for one.
TEST = b"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"[::-1]


def is_test(head: bytes) -> bool:
    """Whether a file begins as the test file does; white space before it does not hide it."""
    return head[:256].lstrip(b" \t\r\n\0\xef\xbb\xbf").startswith(TEST)
