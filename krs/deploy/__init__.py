"""`krs deploy`: the daemon as a service at Koyeb. What it is to be, what differs, and doing it; no terminal here."""
