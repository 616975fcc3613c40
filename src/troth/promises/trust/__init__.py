"""The page itself: complete, honest about plans, the same in every language, checkable."""
