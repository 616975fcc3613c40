"""Who somebody is: the first administrator's invitation and passphrase."""
