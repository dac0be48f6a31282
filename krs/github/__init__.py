"""GitHub: webhook deliveries, the REST calls that krs makes, authentication, and how a runner's container starts."""

from krs.github.auth import Auth, Secret, TokenAuth
from krs.github.bootstrap import Start
from krs.github.client import Denied, GithubClient, NameTaken
from krs.github.models import JitConfig, Registration, RegistrationToken, Removal

__all__ = [
    "Auth",
    "Denied",
    "GithubClient",
    "JitConfig",
    "NameTaken",
    "Registration",
    "RegistrationToken",
    "Removal",
    "Secret",
    "Start",
    "TokenAuth",
]
