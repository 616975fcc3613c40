"""The guard: what is decided about each request before the application sees it."""
