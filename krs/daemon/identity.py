"""Who krs is at GitHub, as the settings have it."""

from collections.abc import Callable

import httpx

from krs.config.settings import Settings
from krs.core.model import Instant
from krs.github import AppAuth, Auth, TokenAuth
from krs.rest import Observer


def identity(
    settings: Settings,
    *,
    now: Callable[[], Instant],
    observe: Observer,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Auth:
    """An App if one is named, else the token. Raises `ValueError` in one line when the App's key is none."""
    github = settings.github
    if not github.app_id:
        return TokenAuth(github.token)
    try:
        return AppAuth(
            app_id=github.app_id,
            private_key=github.private_key,
            api_url=github.api_url,
            now=now,
            observe=observe,
            transport=transport,
        )
    except ValueError as problem:
        raise ValueError(f"github.private_key: {problem}") from None
