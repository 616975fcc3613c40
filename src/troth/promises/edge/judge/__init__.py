"""Facts + settings -> verdict, pure. One file a topic, of the same name as in `probe/`.

A judge is a function under `@judging`. It first demands its positive controls (`judge/facts.py`):
facts that are not as the probe writes them, or that show that the probe did not get through, raise
`Unseen` and become `error`. So whatever cannot be read is never a pass. What it then finds is told
as a rate ("2 of 9 answers ..."): the state is public at once, the single miss is not.

`judge/headers.py:hsts` is the shortest to read first.
"""
