"""Who speaks, told from one mention."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.enriched import Enriched
from schemas.signal import AUDIENCES
from streams.audiences import audience_of


@pytest.mark.parametrize(
    ("more", "audience"),
    [
        ({"author_marks": ("owned", "press")}, "own"),
        ({"author_marks": ("press",), "cues": ("customer",)}, "press"),
        ({"network_class": "press"}, "press"),
        ({"cues": ("investor",)}, "investor"),
        ({"cues": ("customer", "employee"), "followers": 900_000}, "employee"),
        ({"cues": ("petition",)}, "activist"),
        ({"crisis_words": ("boycott:boycott",)}, "activist"),
        ({"crisis_words": ("leaving:never again",), "cues": ("customer",)}, "customer"),
        ({"hashtags": ("boycottacme",)}, "activist"),
        ({"author_marks": ("verified", "public_figure")}, "public_figure"),
        ({"followers": 80_000, "cues": ("customer",)}, "public_figure"),
        ({"kind": "review"}, "customer"),
        ({"addressed": True, "cues": ("first_person",)}, "customer"),
        ({"cues": ("first_person",)}, "other"),
    ],
)
def test_audiences(more: dict[str, Any], audience: str) -> None:
    """Each rule names an audience and says why."""
    found, why = audience_of(Enriched(brand="a", id="1", network="x", partition=0, offset=0, applies_ms=0, published_ms=0, **more))
    assert found == audience
    assert found in (*AUDIENCES, "own")
    assert why
