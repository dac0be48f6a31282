"""The HTTP side: GitHub's webhook, the admin API, health and metrics. What the handlers need stands in `ports`."""
