"""Example Courts: book a padel or tennis court. A plain small web app of a small team.

It has no security of its own: no CSRF tokens, no security headers, a bare session cookie, no
limits. Whatever a security page promises about it is kept by what stands in front of it.
"""
