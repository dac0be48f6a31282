"""Which labels mean which runner."""

import pytest
from msgspec.structs import replace

from krs.core.labels import Placement, parse, place
from krs.core.vocabulary import Reason
from tests.core.build import CATALOG, POLICY


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("koyeb-fra-small", ("fra", "small")),
        ("KOYEB-Fra-2xLarge", ("fra", "2xlarge")),
        ("koyeb-fra-eco-nano", ("fra", "eco-nano")),
        ("koyeb-aws-us-east-1-aws-nano", ("aws-us-east-1", "aws-nano")),
        ("koyeb-na-gpu-nvidia-a100", ("na", "gpu-nvidia-a100")),
        ("koyeb-xyz-small", Reason.UNKNOWN_REGION),
        ("koyeb-fra-gigantic", Reason.UNKNOWN_INSTANCE_TYPE),
        ("koyeb-fra", Reason.UNKNOWN_INSTANCE_TYPE),
        ("koyeb-", Reason.UNKNOWN_REGION),
        ("koyeb-fra-free", Reason.WEB_ONLY),
        ("koyeb-was-2xlarge", Reason.NOT_SOLD_IN_REGION),
        ("ubuntu-latest", None),
        ("koyeb", None),
        ("", None),
    ],
)
def test_a_label_is_split_against_the_catalog(label: str, expected: object) -> None:
    """Region and type are found by what Koyeb sells, whatever dashes and digits they hold."""
    found = parse(label, "koyeb", CATALOG)
    assert ((found.region, found.instance_type) if isinstance(found, Placement) else found) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["koyeb-fra-small"], "small"),
        (["self-hosted", "Linux", "X64", "koyeb-fra-small"], "small"),
        (["koyeb-fra-small", "gpu"], Reason.LABEL_NOT_COVERED),
        (["koyeb-fra-small", "koyeb-was-small"], Reason.AMBIGUOUS_LABEL),
        (["koyeb-fra-small", "koyeb-fra-gigantic"], Reason.LABEL_NOT_COVERED),
        (["self-hosted"], None),
        ([], None),
    ],
)
def test_a_job_is_ours_only_if_one_runner_covers_all_its_labels(labels: list[str], expected: object) -> None:
    """Exactly one label parses, and every other one is covered."""
    found = place(labels, "acme/api", POLICY)
    assert (found.instance_type if isinstance(found, Placement) else found) == expected


def test_the_prefix_and_extra_labels_are_configurable() -> None:
    """Another prefix and an extra label make another job ours."""
    policy = replace(POLICY, prefix="acme", extra_labels=frozenset({"cache"}))
    assert place(["acme-fra-2xlarge", "Cache"], "acme/api", policy) == Placement("acme-fra-2xlarge", "fra", "2xlarge")
    assert place(["koyeb-fra-small"], "acme/api", policy) is None
