"""Learning from verdicts: bounded, per brand, never below the shipped model."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from schemas.brand import Brand, Watchlist
from schemas.enriched import Enriched
from streams.enrich import polarity_learn
from streams.enrich.polarity import Polarity
from streams.enrich.polarity_brands import BOUND, bounded, learned_scores
from streams.enrich.polarity_learn import LEAST, BrandPolarity, read_verdicts
from streams.enrich.settings import EnrichSettings
from streams.enrich.stage import EnrichPartition
from streams.enrich.watchlist import Watchlists
from streams.errors import BadInput
from tests.enrich.records import marker, mention

SHIPPED = Polarity.load()
#: A brand of whose products people say "sick" and "wicked" in praise.
PRAISE = ["sick sound", "these are wicked", "wicked bass, sick build", "so sick", "wicked wicked", "sick, just sick"]
PLAIN = ["the shop opens on monday", "box arrived", "on the train", "new colour listed"]


def _taught(rounds: int) -> BrandPolarity:
    learner = BrandPolarity(SHIPPED)
    for turn in range(rounds):
        learner.learn("acme", PRAISE[turn % len(PRAISE)], "en", "positive")
        learner.learn("acme", PLAIN[turn % len(PLAIN)], "en", "neutral")
    return learner


def test_before_enough_verdicts_the_shipped_model_answers() -> None:
    """With fewer verdicts than needed the answers are the shipped model's, and nothing counts as learned."""
    learner = _taught(LEAST // 2 - 1)
    assert learner.score("acme", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))
    assert learner.learned() == {}


def test_it_learns_a_brand_s_own_words() -> None:
    """After enough verdicts the brand's words are read better than by the shipped model, under a version of its own."""
    learner = _taught(80)
    assert learner.learned()["acme"].verdicts == 160
    before = sum(positive for _, positive, _ in SHIPPED.score(PRAISE, ["en"] * len(PRAISE)))
    after = sum(positive for _, positive, _ in learner.score("acme", PRAISE, ["en"] * len(PRAISE)))
    assert after > before


def test_other_brands_are_untouched() -> None:
    """What one brand's people teach changes no answer for another brand."""
    learner = _taught(80)
    assert learner.score("other", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))


def test_when_it_stops_being_better_the_shipped_model_answers_again() -> None:
    """Once its losses over the window are no lower than the shipped model's, the learned answer is out of force."""
    learner = _taught(80)
    state = learner.brands["acme"]
    assert state.leads
    state.learned_losses.extend(state.shipped_losses)
    assert not state.leads
    assert learner.learned() == {}
    assert learner.score("acme", PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))


def test_the_same_verdicts_give_the_same_version() -> None:
    """Version and answers depend on the verdicts and their order alone."""
    one, two = _taught(60), _taught(60)
    assert one.learned() == two.learned()
    assert one.score("acme", PRAISE, ["en"] * len(PRAISE)) == two.score("acme", PRAISE, ["en"] * len(PRAISE))


def test_a_change_is_bounded() -> None:
    """However often it is told, it moves no odds beyond the bound."""
    shipped = SHIPPED.probabilities(["I hate this awful thing"], ["en"])[0][0].tolist()
    moved = bounded(shipped, (0.0, 0.0, 1.0))
    change = math.log(moved[2] / moved[0]) - math.log(shipped[2] / shipped[0])
    assert 0 < change <= BOUND + 0.01


def test_what_was_compared_with_another_model_is_not_used() -> None:
    """After a change of the shipped model its own answers stand until people's verdicts were weighed against it."""
    old = msgspec.structs.replace(_taught(80).learned()["acme"], shipped="polarity-0-other")
    assert learned_scores(SHIPPED, old, PRAISE, ["en"] * len(PRAISE)) == SHIPPED.score(PRAISE, ["en"] * len(PRAISE))


def _enriched(sizes: list[int]) -> list[Enriched]:
    """A log whose marker puts what was learned of acme in force, read in batches of these sizes."""
    brands = (Brand(id="acme", names=("Acme",)), Brand(id="bolt", names=("Bolt",)))
    known = Watchlists()
    known.add(Watchlist(brands=brands))
    learned = Watchlist(brands=brands, version=2, learned=_taught(80).learned())
    known.add(msgspec.json.decode(msgspec.json.encode(learned), type=Watchlist))
    part = EnrichPartition(0, EnrichSettings(), known, 1, SHIPPED)
    text = "acme and bolt: wicked bass, sick build"
    log = [mention(0, text, lang="en"), mention(1, text, lang="en"), marker(2, 2), mention(3, text, lang="en"), mention(4, text, lang="en")]
    found, start = [], 0
    for size in sizes:
        for output in part.process(log[start : start + size]):
            if dict(output.headers).get("ce_type") == b"veille.enriched":
                found.append(msgspec.json.decode(output.value or b"", type=Enriched))
        start += size
    return found


def test_it_takes_effect_at_its_marker() -> None:
    """Records before the marker carry the shipped answer, those after it the learned one, for the taught brand alone; however cut."""
    records = _enriched([5])
    shown = {(record.offset, record.brand): (record.positive_pm, record.version) for record in records}
    before, after = shown[0, "acme"][0], shown[4, "acme"][0]
    assert after > before
    assert shown[0, "acme"] == shown[1, "acme"] == (before, 1)
    assert shown[3, "acme"] == (after, 2)
    assert shown[4, "bolt"] == (shown[0, "bolt"][0], 2)
    assert _enriched([1, 1, 1, 1, 1]) == _enriched([2, 3]) == records


def test_a_file_of_verdicts_is_read(tmp_path: Path) -> None:
    """Each line is a verdict; a wrong one is named by its line."""
    file = tmp_path / "verdicts.jsonl"
    line = '{"brand": "acme", "text": "so sick", "lang": "en", "label": "positive"}\n'
    file.write_text(line + "\n" + line)
    assert [verdict.label for verdict in read_verdicts(file)] == ["positive", "positive"]
    file.write_text(line + line.replace("positive", "splendid"))
    with pytest.raises(BadInput, match="line 2"):
        read_verdicts(file)
    with pytest.raises(BadInput):
        read_verdicts(tmp_path / "none.jsonl")


def test_what_cannot_be_used_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown label, an unknown language and a brand beyond the limit are passed over."""
    learner = BrandPolarity(SHIPPED)
    learner.learn("acme", "x", "en", "splendid")
    learner.learn("acme", "x", "xx", "positive")
    monkeypatch.setattr(polarity_learn, "BRANDS", 0)
    learner.learn("acme", "x", "en", "positive")
    assert learner.brands == {}
    assert learner.score("acme", ["x"], ["xx"]) == [(0, 0, "")]
