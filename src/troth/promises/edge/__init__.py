"""The edge: TLS, redirects, headers, cookies and cross-origin calls."""
