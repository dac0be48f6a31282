"""Koyeb's REST API, as far as krs uses it. Nothing else of ours is known here but `krs.rest` and the core's values."""

from krs.koyeb.account import Account, Organization, Usage
from krs.koyeb.client import KoyebClient, LifeCycleRefused, NameTaken, QuotaExceeded
from krs.koyeb.models import App, Definition, EnvVar, RunnerService, Service
from krs.koyeb.quotas import Quotas

__all__ = [
    "Account",
    "App",
    "Definition",
    "EnvVar",
    "KoyebClient",
    "LifeCycleRefused",
    "NameTaken",
    "Organization",
    "QuotaExceeded",
    "Quotas",
    "RunnerService",
    "Service",
    "Usage",
]
