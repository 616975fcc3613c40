"""What can go wrong with certificates."""

from troth.kernel.errors import Failure


class CertificateError(Failure):
    """A certificate, a key or an authority that cannot be used."""
