"""Kinds of networks (``networks.yaml``): how people show themselves there, how fast things spread, and how grave it usually is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml


class NetworkClass(NamedTuple):
    """One class. Kernel: a mixture of exponential delays as (weights, scales in seconds), mass 1 after division by the sum."""

    name: str
    kernel_weights: tuple[float, ...]
    kernel_seconds: tuple[float, ...]
    kernel_basis: str
    severity_prior: int
    severity_basis: str


@cache
def _data() -> dict[str, Any]:
    text = files("streams").joinpath("networks.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


@cache
def classes() -> dict[str, NetworkClass]:
    """Return {class name: class}."""
    return {
        name: NetworkClass(
            name,
            tuple(float(x) for x in entry["kernel"]["weights"]),
            tuple(float(x) for x in entry["kernel"]["seconds"]),
            entry["kernel"]["basis"],
            int(entry["severity_prior"]["value"]),
            entry["severity_prior"]["basis"],
        )
        for name, entry in _data()["classes"].items()
    }


_CLASSES: dict[str, str] = {network: name for name, entry in _data()["classes"].items() for network in entry["networks"]}


def class_of(network: str) -> str:
    """Return the class of a network (lower case); an unknown network counts as pseudonymous."""
    return _CLASSES.get(network, "pseudonymous")


def classes_of(networks: Iterable[str]) -> list[str]:
    """Return the class of each network, as `class_of` does, in a third of the time."""
    known = _CLASSES
    return [known.get(network, "pseudonymous") for network in networks]
