"""What may be said of an upload."""

from troth.engines.uploads.model import malformed


def test_a_fault_says_what_it_is():
    error = malformed("two bodies in one", code="two", status=415)

    assert str(error) == "two bodies in one"
    assert (error.fault.code, error.fault.status, error.fault.place) == ("two", 415, "REQUEST_BODY")
