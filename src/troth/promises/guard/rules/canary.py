"""The route and the address by which our own probes see that zones work."""

CANARY = "troth-canary"
CANARY_ROUTE = "sink/zone"  # below our prefix
CANARY_ADDRESS = "127.66.255.1"  # loopback: nobody's but this machine's
