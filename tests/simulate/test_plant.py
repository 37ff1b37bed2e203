"""Planting into ordinary days, with a small data folder made for the test."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import orjson
import pytest

from schemas.brand import Brand
from streams.clock import rfc3339
from streams.errors import BadInput
from streams.simulate.plant import Planter, Row, style, style_auc, write_folder
from streams.simulate.plant_data import complaint_texts, praise_texts
from streams.sources.files import read_mentions

BRAND = Brand(id="kestrane", names=("Kestrane",), handles={"*": ("kestrane_fr",)})
START = 1_740_960_000_000
SHARED = Path(__file__).parents[3] / "shared" / "data"


def ordinary(count: int = 600) -> list[Row]:
    """Return ordinary mentions, ten minutes apart, some with links, hashtags or leading handles."""
    rows = []
    for number in range(count):
        ms = START + number * 600_000
        text = (
            f"thing {number} from Kestrane" + (" https://t.co/abc" if number % 3 == 0 else "") + (" #kestrane" if number % 4 == 0 else "")
        )
        text = f"@kestrane_fr {text}" if number % 2 else text
        row = {
            "id": f"o{number}",
            "network": "x",
            "text": text,
            "published_at": rfc3339(ms),
            "author": {"id": f"{number:010x}", "followers": 5},
        }
        rows.append((ms, orjson.dumps(row), f"o{number}"))
    return rows


def table(path: Path, names: list[str], rows: list[list[object]]) -> None:
    """Write a CSV, gzipped where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in the formats of the real one."""
    place = tmp_path / "data"
    table(place / "twitter15_cascades" / "cascades.csv", ["cascade_id", "label"], [["a", "false"], ["b", "non-rumor"]])
    shares = [[name, minute * 1.7] for name in "ab" for minute in range(90)]
    table(place / "twitter15_cascades" / "reshares.csv.gz", ["cascade_id", "delay_min"], shares)
    table(place / "politifact_stories" / "tweets.csv.gz", ["story_id", "t_utc_ms"], [["p", START + i * 60_000] for i in range(80)])
    words = ["late", "lost", "rude", "broken", "cold", "dear"]
    tweets: list[list[object]] = []
    for number in range(240):
        tone = "negative" if number % 2 else "positive"
        word = words[number % 6]
        tweets.append(
            [tone, "Lost Luggage" if number % 2 else "", f"@united my bag {number} is {word} and {words[number % 5]} again with you"]
        )
    table(place / "airline_2015" / "tweets.csv.gz", ["airline_sentiment", "negativereason", "text"], tweets)
    calls: list[list[object]] = [[f"2020-10-12 0{i % 9}:00:00+00:00", f"boycott snapdeal now {i}"] for i in range(9)]
    table(place / "boycott_2012_2020" / "tweets.csv.gz", ["created_at", "text"], calls)
    episode = ["snapdeal", "snapdeal", "2020-10-12", "2020-10-12T00:00:00+00:00"]
    table(place / "boycott_2012_2020" / "episodes.csv", ["brand", "regex", "day_from_data", "first_mention"], [list(episode)])
    return place


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_the_share_is_the_wished_one(data: Path, share: float) -> None:
    """As many mentions are planted as the share says, within the ordinary days' form."""
    plant = Planter(ordinary(), BRAND, data, 1, share).course(crisis=True)
    assert len(plant.rows) == max(8, round(share * 600))
    for ms, row in plant.rows:
        assert row["published_at"] == rfc3339(ms)
        assert set(row) - {"kind", "root_id", "parent_id"} == {"id", "network", "text", "published_at", "author"}
        assert "kestrane" in row["text"].lower()
        assert "united" not in row["text"].lower()


def test_half_are_independent(data: Path) -> None:
    """Every second planted mention is a post of its own, with a text that no other has."""
    rows = [row for _, row in Planter(ordinary(), BRAND, data, 2, 0.1).course(crisis=True).rows]
    posts = [row for row in rows if row.get("kind") != "reshare"]
    assert len(posts) == len(rows) // 2
    assert len({row["text"] for row in posts}) == len(posts)
    ids = {row["id"] for row in rows}
    assert len(ids) == len(rows)
    assert all(row["root_id"] in ids for row in rows if row.get("kind") == "reshare")


def test_the_same_seed_plants_the_same(data: Path) -> None:
    """Planting is a function of the file, the data and the seed."""
    first, second, third = (Planter(ordinary(), BRAND, data, seed).course(crisis=False).rows for seed in (3, 3, 4))
    assert first == second
    assert first != third


def test_an_episode_keeps_its_own_texts(data: Path) -> None:
    """A boycott episode brings its own times and words, with the brand's name in place of the other's."""
    plant = Planter(ordinary(), BRAND, data, 5).episode(0)
    assert len(plant.rows) == 9
    assert all("boycott" in row["text"] and "snapdeal" not in row["text"] for _, row in plant.rows)


def test_a_written_folder_reads_back(data: Path, tmp_path: Path) -> None:
    """The folder of the exam holds all mentions by time, and the truth names the planted ones."""
    rows = ordinary()
    planter = Planter(rows, BRAND, data, 6)
    plants = [planter.course(crisis=True), planter.course(crisis=False)]
    write_folder(tmp_path / "out", rows, plants, "brands: []\n")
    read = list(read_mentions([tmp_path / "out" / "mentions.jsonl.gz"]))
    assert len(read) == 600 + sum(len(plant.rows) for plant in plants)
    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    assert [event["crisis"] for event in truth] == [True, False]
    assert {identity for event in truth for identity in event["mention_ids"]} <= {row.id for row in read}


def test_what_cannot_be_planted_is_an_error(data: Path, tmp_path: Path) -> None:
    """Too few ordinary mentions, an odd share or a missing data folder end with exit code 4."""
    with pytest.raises(BadInput):
        Planter(ordinary(20), BRAND, data, 1)
    with pytest.raises(BadInput):
        Planter(ordinary(), BRAND, data, 1, 3.0)
    with pytest.raises(BadInput, match="--data"):
        Planter(ordinary(), BRAND, tmp_path / "nowhere", 1).course(crisis=True)


def test_style_tells_the_outside_of_a_text() -> None:
    """Style is length, link, hashtag, leading handle and emoji, nothing of the words."""
    assert style("@otter hi #one https://t.co/x 🙂") == (0, True, True, True, True)
    assert style("plain") == (0, False, False, False, False)


@pytest.mark.skipif(not SHARED.exists(), reason="the folder ../shared/data with real cascades is missing")
def test_style_alone_is_near_chance_on_real_data() -> None:
    """A judge of style alone hardly tells real complaints, dressed, from the ordinary days of a real brand."""
    from streams.sources.mapping import parse_mapping

    mapping = parse_mapping(["published_at=created_at", "author.id=author_hash"], ["network=x"])
    rows = list(read_mentions([SHARED / "fashion_2021" / "shein.csv.gz"], mapping))
    brand = Brand(id="shein", names=("shein",), handles={"*": ("SHEIN_Official",)})
    judged = [style_auc(rows, Planter(rows, brand, SHARED, seed).course(crisis=True)) for seed in range(3)]
    assert sum(judged) < 3 * 0.7


def test_folders_are_found_by_what_they_hold(data: Path) -> None:
    """Under other names, and not gzipped, the same events are planted; only the course's name follows the folder's."""
    before = [Planter(ordinary(), BRAND, data, 6).course(crisis=crisis).rows for crisis in (True, False)]
    for old, new in (
        ("twitter15_cascades", "t16"),
        ("airline_2015", "flights"),
        ("boycott_2012_2020", "calls"),
        ("politifact_stories", "b"),
    ):
        (data / old).rename(data / new)
    packed = data / "flights" / "tweets.csv.gz"
    (data / "flights" / "tweets.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    (data / ".DS_Store").write_bytes(b"\0")
    (data / "b" / "README.md").write_text("more")
    after = [Planter(ordinary(), BRAND, data, 6).course(crisis=crisis).rows for crisis in (True, False)]
    assert [[ms for ms, _ in rows] for rows in after] == [[ms for ms, _ in rows] for rows in before]


def test_other_airlines_lose_their_names_too(data: Path) -> None:
    """An airline whose name is not known beforehand goes by its column, and by the handle that its texts speak to."""
    rows: list[list[object]] = [
        [tone, "Rude" if tone == "negative" else "", "Blue Otter Air", f"@blueotter row {number} at Blue Otter Air, #BlueOtter, so {tone}"]
        for number in range(120)
        for tone in ("negative", "positive")
    ]
    table(data / "airline_2015" / "tweets.csv.gz", ["airline_sentiment", "negativereason", "airline", "text"], rows)
    texts = [*complaint_texts(data)["airline: Rude"], *praise_texts(data)["praise"]]
    assert len(texts) == 240
    assert all("{handle}" in text and "{name}" in text for text in texts)
    assert not any("otter" in text.lower() for text in texts)


def test_data_that_does_not_fit_is_told(data: Path) -> None:
    """An episode that is not there, an expression that is none, and texts that lack all complaints each get a sentence."""
    with pytest.raises(BadInput, match="no episode 1: the data folder holds 1"):
        Planter(ordinary(), BRAND, data, 1).episode(1)
    names = ["brand", "regex", "day_from_data", "first_mention"]
    table(data / "boycott_2012_2020" / "episodes.csv", names, [["a", "(", "2020-10-12", ""]])
    with pytest.raises(BadInput, match=r"episodes\.csv, line 2: regex"):
        Planter(ordinary(), BRAND, data, 1).episode(0)
    (data / "boycott_2012_2020" / "episodes.csv").unlink()
    (data / "airline_2015" / "tweets.csv.gz").unlink()
    with pytest.raises(BadInput, match="no texts of complaints"):
        Planter(ordinary(), BRAND, data, 1).course(crisis=True)
    with pytest.raises(BadInput, match=r"no folder with cascades\.csv and reshares\.csv"):
        Planter(ordinary(), BRAND, data / "twitter15_cascades", 1).course(crisis=True)
    with pytest.raises(BadInput, match="no positive texts"):
        Planter(ordinary(), BRAND, data, 1).course(crisis=False)


def test_rows_that_are_no_mentions_go_along(data: Path, tmp_path: Path) -> None:
    """A broken line and an author that is a word stay in the file; nothing is made after them."""
    rows = [*ordinary(), (START + 5, b"{broken", "x"), (START + 6, b'{"text": "y", "author": "bob"}', "y")]
    plant = Planter(rows, BRAND, data, 1).course(crisis=True)
    write_folder(tmp_path / "out", rows, [plant], "brands: []\n")
    assert len(list(read_mentions([tmp_path / "out" / "mentions.jsonl.gz"]))) == 602 + len(plant.rows)
