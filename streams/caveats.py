"""What detection warns of, in English as signals and cards carry it, and in French as people read it."""

from __future__ import annotations

import re

COLD = "no baseline: judged by growth and words alone"
SILENT = "a source is silent"

_FRENCH = (
    (
        re.compile(r"suspect feed (.*): (\d+) of (\d+) comparable brands are loud on it at once, so its volume opens nothing", re.DOTALL),
        r"flux suspect \1 : \2 marques comparables sur \3 y sont bruyantes en même temps, son volume n'ouvre donc rien",
    ),
    (re.compile(re.escape(COLD)), "pas d'historique : jugé sur la croissance et les mots seuls"),
    (re.compile(re.escape(SILENT)), "une source est muette"),
    (
        re.compile(r"sampling: at the busiest one mention in (\d+) was looked at, counts are scaled up"),
        r"échantillon : au plus fort une mention sur \1 a été examinée, les nombres sont extrapolés",
    ),
    (
        re.compile(r"new source (.*): what is usual of it is not known yet, so its volume opens nothing for a day", re.DOTALL),
        r"nouvelle source \1 : on ne sait pas encore ce qui y est habituel, son volume n'ouvre donc rien pendant un jour",
    ),
    (
        re.compile(r"beyond the alarm budget: severity (\d) may exceed it once a day"),
        r"au-delà du budget d'alertes : la gravité \1 peut le dépasser une fois par jour",
    ),
)


def sampled(one_in: int) -> str:
    """Say that a brand was so loud that a sample was looked at."""
    return f"sampling: at the busiest one mention in {one_in} was looked at, counts are scaled up"


def beyond_budget(severity: int) -> str:
    """Say that an alarm rings though its brand's budget is spent."""
    return f"beyond the alarm budget: severity {severity} may exceed it once a day"


def new_source(source: str) -> str:
    """Say that what a source brings is no volume yet."""
    return f"new source {source}: what is usual of it is not known yet, so its volume opens nothing for a day"


def suspect_feed(source: str, loud: int, brands: int) -> str:
    """Say that a source is suspect: so many of the brands that can be compared pass their 1 % tail on it at once."""
    return f"suspect feed {source}: {loud} of {brands} comparable brands are loud on it at once, so its volume opens nothing"


def caveat_in(caveat: str, language: str) -> str:
    """Return a caveat in ``language`` ("en" or "fr"); one that is not known stays as it is.

    >>> caveat_in(beyond_budget(4), "fr")
    "au-delà du budget d'alertes : la gravité 4 peut le dépasser une fois par jour"
    >>> caveat_in("something new", "fr")
    'something new'
    """
    if language == "fr":
        for pattern, french in _FRENCH:
            if (found := pattern.fullmatch(caveat)) is not None:
                return found.expand(french)
    return caveat
