"""The planted events of the demo: five crises and three decoys, each with its course and its texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from schemas.mention import Author, Engagement
from streams.simulate.brands import BrandProfile, press_sites
from streams.simulate.cascade import Node, Spread, spread_of_size
from streams.simulate.draft import Draft
from streams.simulate.grammar import Grammar
from streams.simulate.ordinary import draw, language_of, shown_language
from streams.simulate.people import People, bot, newsroom, official
from streams.simulate.rhythm import HOUR_MS, MINUTE_MS, lognormal


@dataclass(frozen=True)
class EventPlan:
    """``hour``: hours after the start of the simulation (UTC); ``size``: least and most mentions wished for."""

    name: str
    brand: str
    kind: str
    texts: str
    hour: float
    crisis: bool
    spread: Spread
    size: tuple[int, int]
    language: str = ""
    network: str = ""

    def times(self, volume: float) -> EventPlan:
        """Return the same event with ``volume`` times as many mentions."""
        least, most = self.size
        spread = replace(self.spread, crowd=round(self.spread.crowd * volume))
        return replace(self, spread=spread, size=(round(least * volume), round(most * volume)))


@dataclass(frozen=True)
class Scene:
    """What an event is made in."""

    brand: BrandProfile
    people: People
    seed: str
    start_ms: int
    end_ms: int


_ANSWERED: Final = {"reply": 62.0, "quote": 22.0, "reshare": 2.0, "independent": 14.0}

_INVITED: Final = {"reply": 60.0, "quote": 8.0, "reshare": 22.0, "independent": 10.0}

PLANS: Final = (
    EventPlan("data-leak", "brivault", "corporate", "corporate", 29.1, True, Spread(900, 1.7, 6.0), (480, 900)),
    EventPlan("burning-box", "kestrane", "snowball", "snowball", 32.3, True, Spread(1000, 1.7, 5.0), (500, 950), "fr", "reviews"),
    EventPlan("summer-flights", "vexomar", "rumour", "rumour", 38.2, True, Spread(1100, 1.8, 8.0), (550, 1000), "en", "x"),
    EventPlan("guide-dog", "quillory", "snowball", "complaint", 34.6, True, Spread(120, 1.7, 6.0, 0.9), (55, 110), "en", "x"),
    EventPlan(
        "tired-faces", "oluvia", "own_post", "own_post", 56.1, True,
        Spread(1500, 1.7, 22.0, pace=0.8, roles=_ANSWERED), (800, 1400), "en", "instagram",
    ),
    EventPlan(
        "biscuit-giveaway", "tarnelle", "giveaway", "giveaway", 33.0, False,
        Spread(1100, 1.5, 60.0, roles=_INVITED), (600, 1000), "fr", "instagram",
    ),
    EventPlan("hail-storm", "gresil", "homonym", "homonym", 39.0, False, Spread(420, 1.7, 14.0, 1.0, 0.6), (200, 400), "fr", "x"),
    EventPlan("bot-flood", "tarnelle", "bots", "bots", 57.5, False, Spread(420), (420, 420), "fr", "x"),
)  # fmt: skip


def make_event(plan: EventPlan, scene: Scene) -> list[Draft]:
    """Return the event's mentions, by time."""
    if plan.kind == "bots":
        drafts = _bots(plan, scene)
    else:
        drafts = _course(plan, scene)
    for draft in drafts:
        draft.event = plan.name
    return drafts


def _course(plan: EventPlan, scene: Scene) -> list[Draft]:
    """An event that spreads: a root, and what follows from it."""
    start_ms = scene.start_ms + round(plan.hour * HOUR_MS)
    nodes = spread_of_size(f"{scene.seed}/course", start_ms, scene.end_ms, plan.spread, scene.brand.hours, *plan.size)
    rng = Random(f"{scene.seed}/texts")
    writer = _Writer(plan, scene, rng)
    made: dict[int, Draft] = {}
    for position, node in enumerate(nodes):
        parent = made.get(id(node.parent)) if node.parent is not None else None
        made[id(node)] = writer.write(node, parent, position)
    drafts = list(made.values())
    if plan.kind == "corporate":
        drafts += writer.articles(start_ms, 26)
    if plan.kind == "rumour":
        drafts += writer.fact_checks(start_ms + round(3.2 * HOUR_MS), 7)
    return sorted((draft for draft in drafts if draft.ms < scene.end_ms), key=lambda draft: draft.ms)


class _Writer:
    """Gives each node of a course its network, kind, author and text."""

    def __init__(self, plan: EventPlan, scene: Scene, rng: Random) -> None:
        self._plan = plan
        self._scene = scene
        self._rng = rng
        self._grammars = {language: Grammar(scene.brand, language) for language in scene.brand.words}
        self._links = self._article_links() if plan.kind == "corporate" else []
        self._open = {name: weight for name, weight in scene.brand.networks.items() if name not in ("reviews", "linkedin")}

    def write(self, node: Node, parent: Draft | None, position: int) -> Draft:
        """Return the mention of ``node``; ``position`` is its place in the course."""
        rng, plan = self._rng, self._plan
        if parent is None:
            return self._root(node)
        role = node.role
        if role == "independent" or parent.kind == "review":
            return self._independent(node)
        kind = role
        if role == "reply":
            kind = "comment" if parent.network in ("facebook", "instagram", "tiktok") else "reply"
        if role == "reshare":
            draft = self._draft(node.ms, parent.network, kind, parent.text, parent.lang or "fr")
        else:
            language = self._language(role)
            symbol = role
            if plan.kind == "rumour" and node.ms - self._start > 3 * HOUR_MS and rng.random() < 0.16:
                symbol = "denial"
            draft = self._draft(node.ms, parent.network, kind, self._say(symbol, language), language)
        draft.parent = parent
        draft.root = parent.root or parent
        draft.link = parent.link if role == "reshare" else ""
        return draft

    @property
    def _start(self) -> int:
        return self._scene.start_ms + round(self._plan.hour * HOUR_MS)

    def _root(self, node: Node) -> Draft:
        plan, brand = self._plan, self._scene.brand
        language = plan.language or self._language("root" if plan.kind != "corporate" else "independent")
        if plan.kind == "corporate":
            site, link = self._links[0]
            draft = self._draft(node.ms, "press", "article", self._say("article", "fr"), "fr", newsroom(site))
            draft.link = link
            return draft
        author = official(brand.handle, round(brand.per_day * 40)) if plan.kind in ("own_post", "giveaway") else None
        kind = "review" if plan.network == "reviews" else "post"
        draft = self._draft(node.ms, plan.network, kind, self._say("root", language), language, author)
        if plan.kind == "own_post":
            draft.engagement = Engagement(likes=41, replies=388, quotes=120)
        return draft

    def _independent(self, node: Node) -> Draft:
        language = self._language("independent")
        draft = self._draft(node.ms, draw(self._rng, self._open), "post", self._say("independent", language), language)
        out = [link for made_ms, (_, link) in zip(self._times, self._links, strict=True) if made_ms < node.ms] if self._links else []
        if out and self._rng.random() < 0.4:
            draft.link = out[int(self._rng.random() * len(out))]
        return draft

    def _article_links(self) -> list[tuple[str, str]]:
        """Sites and addresses of all articles, the root's first, with the times at which they come out."""
        rng, sites = self._rng, press_sites()
        self._times = [self._start]
        links = [(sites[0], f"https://{sites[0]}/actu/{self._plan.name}-0")]
        for number in range(1, 27):
            site = sites[int(rng.random() * len(sites))]
            self._times.append(self._start + round(lognormal(rng, 95.0, 1.15) * MINUTE_MS) // 1000 * 1000)
            links.append((site, f"https://{site}/actu/{self._plan.name}-{number}"))
        return links

    def articles(self, start_ms: int, count: int) -> list[Draft]:
        """Return the press's articles after the first one."""
        drafts = []
        for made_ms, (site, link) in list(zip(self._times, self._links, strict=True))[1 : count + 1]:
            language = "en" if site in ("morningherald.example", "dailyledger.example") else "fr"
            draft = self._draft(max(made_ms, start_ms), "press", "article", self._say("article", language), language, newsroom(site))
            draft.link = link
            drafts.append(draft)
        return drafts

    def fact_checks(self, start_ms: int, count: int) -> list[Draft]:
        """Return the articles that deny a rumour, and the brand's own denial."""
        rng, brand = self._rng, self._scene.brand
        drafts = [self._draft(start_ms, "x", "post", self._say("denial", "en"), "en", official(brand.handle, round(brand.per_day * 40)))]
        for number in range(count):
            ms = start_ms + round(lognormal(rng, 80.0, 0.9) * MINUTE_MS) // 1000 * 1000
            site = press_sites()[int(rng.random() * len(press_sites()))]
            language = "en" if site in ("morningherald.example", "dailyledger.example") else "fr"
            draft = self._draft(ms, "press", "article", self._say("factcheck", language), language, newsroom(site))
            draft.link = f"https://{site}/fact-check/{self._plan.name}-{number}"
            drafts.append(draft)
        return drafts

    def _language(self, symbol: str) -> str:
        language = language_of(self._rng, self._scene.brand)
        return language if self._grammars[language].has(symbol, self._plan.texts) else (self._plan.language or "fr")

    def _say(self, symbol: str, language: str) -> str:
        return self._grammars[language].say(self._rng, symbol, event=self._plan.texts, address=self._plan.kind != "homonym")

    def _draft(self, ms: int, network: str, kind: str, text: str, language: str, author: Author | None = None) -> Draft:
        who = author or self._scene.people.anyone(self._rng)
        return Draft(ms - ms % 1000, network, kind, text, who, shown_language(self._rng, language))


#: What the bots say, with little changes so that no two are the same bytes.
_BOT_WORDS: Final[tuple[Callable[[Random], str], ...]] = (
    lambda rng: "!" * (1 + int(rng.random() * 4)),
    lambda rng: f" {int(rng.random() * 9000) + 1000}",
    lambda rng: (" 🚨", " 😡", " ⚠️", "")[int(rng.random() * 4)],
)


def _bots(plan: EventPlan, scene: Scene) -> list[Draft]:
    """A flood of near copies from accounts that are days old, within three hours."""
    rng = Random(f"{scene.seed}/bots")
    start_ms = scene.start_ms + round(plan.hour * HOUR_MS)
    crowd = [bot(rng, number, scene.start_ms) for number in range(140)]
    drafts = []
    for _ in range(plan.size[0]):
        ms = start_ms + round(3 * HOUR_MS * rng.random() ** 1.3)
        text = f"N'achetez plus les biscuits {scene.brand.name}, ils sont dangereux pour vos enfants, boycott {scene.brand.tag}"
        text += "".join(word(rng) for word in _BOT_WORDS)
        who = crowd[int(rng.random() * len(crowd))]
        drafts.append(Draft(ms - ms % 1000, "x", "post", text, who, "fr"))
    return sorted(drafts, key=lambda draft: draft.ms)
