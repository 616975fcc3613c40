"""Facts + settings -> verdict, pure. One file a topic, of the same name as in `probe/`.

A judge first demands its positive controls; facts that are not as the probe writes them, or that
show that the probe did not get through, are `error`, never a pass.
"""
