"""Classes of networks."""

from __future__ import annotations

import pytest

from streams.networks import class_of, classes


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("linkedin", "professional"), ("viadeo", "professional"), ("x", "pseudonymous"), ("reddit", "pseudonymous"), ("press", "press"),
        ("trustpilot", "review"), ("youtube", "video"), ("telegram", "messaging"), ("a-network-of-tomorrow", "pseudonymous"),
    ],
)  # fmt: skip
def test_a_network_has_a_class(network: str, expected: str) -> None:
    """Known networks have their class, an unknown one counts as pseudonymous."""
    assert class_of(network) == expected


def test_each_class_says_what_its_figures_rest_on() -> None:
    """Kernel and severity prior are there for all six classes, each measured on something or assumed."""
    found = classes()
    assert set(found) == {"professional", "pseudonymous", "press", "review", "video", "messaging"}
    for one in found.values():
        assert len(one.kernel_weights) == len(one.kernel_seconds) == 3
        assert sum(one.kernel_weights) == pytest.approx(1)
        assert min(one.kernel_seconds) > 0
        assert -1 <= one.severity_prior <= 1
        assert one.kernel_basis.startswith(("assumed", "measured on"))
        assert one.severity_basis.startswith(("assumed", "measured on"))
