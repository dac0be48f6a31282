"""GitHub: webhook deliveries, the REST calls that krs makes, authentication, and how a runner's container starts."""

from krs.github.auth import AppAuth, Auth, Need, Secret, TokenAuth, identity
from krs.github.bootstrap import Start
from krs.github.client import GithubClient
from krs.github.hooks import Hooks
from krs.github.models import JitConfig, Registration, RegistrationToken, Removal, Run
from krs.github.wire import Denied, NameTaken

__all__ = [
    "AppAuth",
    "Auth",
    "Denied",
    "GithubClient",
    "Hooks",
    "JitConfig",
    "NameTaken",
    "Need",
    "Registration",
    "RegistrationToken",
    "Removal",
    "Run",
    "Secret",
    "Start",
    "TokenAuth",
    "identity",
]
