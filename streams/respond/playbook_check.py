"""Checks a playbook's text: every problem with its line and its mend. ``veille playbook check`` prints them."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator

import msgspec
import yaml

from schemas.crisis import KINDS
from schemas.desk import person
from schemas.signal import AUDIENCES
from streams.gate.holding import BLANKS, Holding, blanks
from streams.handwritten import NoYaml, reading
from streams.respond.playbook import Case, DraftText, Playbook, Role, Step

#: Whom a draft speaks to.
ADDRESSED = ("all", *AUDIENCES)
#: Words that would have one's own post deleted, and those that forbid it.
_DELETE = re.compile(r"\b(delete|remove|take down|supprim\w*|efface\w*|retire\w*)\b.{0,40}\b(post|tweet|publication|message)\b", re.I)
_NEVER = re.compile(r"\b(never|do not|don't|jamais|ne)\b", re.I)
#: Which struct stands where: path with `*` for a key and `[]` for a place in a list.
_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "$": Playbook, "$.roles.*": Role, "$.steps[]": Step, "$.holding[]": Holding, "$.drafts[]": DraftText, "$.tests[]": Case,
}  # fmt: skip
#: Fields of a struct that the file does not give.
_INNER: dict[type[msgspec.Struct], tuple[str, ...]] = {Holding: ("channels", "contacts")}


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file: its line (from 1) and how to mend it."""

    line: int
    text: str


class _Loader(yaml.SafeLoader):
    """YAML whose dates stay text: `expires` is RFC 3339, not a date object of Python's."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check(text: str) -> tuple[Playbook | None, list[Problem]]:
    """Read a playbook; return it (None where it cannot be used) and every problem found, in the order of lines."""
    try:
        with reading(text):
            tree = yaml.compose(text, Loader=_Loader)
            data = yaml.load(text, Loader=_Loader)
    except NoYaml as error:
        return None, [Problem(error.line, error.problem)]
    problems = list(_keys(tree, "$"))
    if not problems:
        try:
            plan = msgspec.convert(data, Playbook, strict=False)
        except msgspec.ValidationError as error:
            words, _, path = str(error).partition(" - at `")
            return None, [Problem(_line(tree, path.rstrip("`")), words)]
        problems = [Problem(_line(tree, path), words) for path, words in _faults(plan)]
        if not problems:
            return plan, []
    return None, sorted(problems, key=lambda p: (p.line, p.text))


def not_ready(plan: Playbook, at_ms: int) -> list[str]:
    """Return, for each holding statement that may not leave at ``at_ms``, why and what two people have to write beside it."""
    return [
        f"holding statement {one.id}: {why}. Two people write approved_by, expires and hash: {digest(one.text)}"
        for one in plan.holding
        if (why := one.why_not(at_ms))
    ]


def digest(text: str) -> str:
    """Return the SHA-256 of a holding statement's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def nearest(word: str, known: Collection[str]) -> str:
    """Return what ``word`` was probably meant to be, in words.

    >>> nearest("titel", ["id", "title"]), nearest("zzz", ["id", "title"])
    ('did you mean title?', 'one of id, title')
    """
    near = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"


def _keys(node: yaml.Node | None, path: str) -> Iterator[Problem]:
    """Find keys that nobody knows, and keys that stand twice."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item, f"{path}[]")
    if not isinstance(node, yaml.MappingNode):
        return
    struct = _STRUCTS.get(path)
    known = [name for name in struct.__struct_fields__ if name not in _INNER.get(struct, ())] if struct else None
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(line, "a key is one word")
            continue
        if key.value in seen:
            yield Problem(line, f"{key.value} stands twice; keep one")
        seen.add(key.value)
        if known is not None and key.value not in known:
            yield Problem(line, f"unknown key {key.value}: {nearest(key.value, known)}")
        yield from _keys(value, f"{path}.*" if path == "$.roles" else f"{path}.{key.value}")


def _faults(plan: Playbook) -> Iterable[tuple[str, str]]:
    """Find what is well-formed and still wrong, as (path, words)."""
    if plan.language not in ("en", "fr"):
        yield "$.language", "language must be en or fr"
    yield from _unknown("$.kinds", plan.kinds, KINDS, "kind")
    for name, role in plan.roles.items():
        if role.deputy and role.deputy not in plan.roles:
            yield (
                f"$.roles.{name}.deputy",
                f"the deputy {role.deputy} is no role of this plan; add it to roles, or {_mean(role.deputy, plan)}",
            )
        if role.deputy == name:
            yield f"$.roles.{name}.deputy", "nobody is their own deputy"
    if not plan.steps:
        yield "$.steps", "a plan needs at least one step"
    elif plan.steps[0].id != "pause":
        yield "$.steps[0]", "the first step must be `pause`: pause scheduled posts and advertisements"
    elif plan.steps[0].severity > 1 or plan.steps[0].kinds or plan.steps[0].networks:
        yield "$.steps[0]", "the first step is for every crisis: leave severity, kinds and networks out"
    seen: set[str] = set()
    for i, step in enumerate(plan.steps):
        if step.id in seen:
            yield f"$.steps[{i}].id", f"the id {step.id} stands twice; give each step its own"
        seen.add(step.id)
        yield from _step(plan, step, f"$.steps[{i}]")
    for i, holding in enumerate(plan.holding):
        yield from _holding(plan, holding, f"$.holding[{i}]")
    for i, draft in enumerate(plan.drafts):
        yield from _unknown(f"$.drafts[{i}].audience", (draft.audience,), ADDRESSED, "audience")
        if plan.channels:
            yield from _unknown(f"$.drafts[{i}].channel", (draft.channel,), plan.channels, "channel of this plan")
    for i, case in enumerate(plan.tests):
        yield from _unknown(f"$.tests[{i}].kind", (case.kind,), KINDS, "kind")
        got = tuple(step.id for step in plan.due_steps(case.kind, case.severity, case.networks))
        if got != case.expect:
            yield f"$.tests[{i}]", f"this test does not hold: such a crisis gives the steps {', '.join(got) or 'none'}"


def _step(plan: Playbook, step: Step, at: str) -> Iterable[tuple[str, str]]:
    if not step.id or not re.fullmatch(r"[a-z0-9_-]{1,60}", step.id):
        yield f"{at}.id", "an id is made of a-z, 0-9, _ and -"
    if step.role not in plan.roles:
        yield f"{at}.role", f"{step.role} is no role of this plan; {_mean(step.role, plan)}"
    if step.within_minutes < 1:
        yield f"{at}.within_minutes", "a deadline is at least 1 minute after the opening"
    if step.escalate_minutes and step.escalate_minutes < step.within_minutes:
        yield f"{at}.escalate_minutes", "a step escalates after its deadline: make escalate_minutes at least within_minutes"
    if step.escalate_minutes and step.role in plan.roles and not plan.roles[step.role].deputy:
        yield f"{at}.escalate_minutes", f"a step escalates to the deputy: give the role {step.role} one"
    if not 1 <= step.severity <= 5:
        yield f"{at}.severity", "severity lies between 1 and 5"
    yield from _unknown(f"{at}.kinds", step.kinds, KINDS, "kind")
    if step.channel and plan.channels:
        yield from _unknown(f"{at}.channel", (step.channel,), plan.channels, "channel of this plan")
    for name, title in (("title", step.title), ("title_en", step.title_en), ("title_fr", step.title_fr)):
        if _DELETE.search(title) and not _NEVER.search(title):
            yield f"{at}.{name}", "one's own publication is never deleted: measure, adapt to audiences, use the right channels"


def _holding(plan: Playbook, holding: Holding, at: str) -> Iterable[tuple[str, str]]:
    for name in blanks(holding.text):
        if name not in BLANKS:
            yield f"{at}.text", f"the blank {name} is not allowed; only {', '.join(BLANKS)}"
        elif name != "time" and not getattr(plan, f"{name}s"):
            yield f"{at}.text", f"say in `{name}s:` of the plan what may stand for {{{name}}}"
    cell = {person(name) for role in plan.roles.values() for name in role.people}
    for i, name in enumerate(holding.approved_by):
        if cell and person(name) not in cell:
            yield f"{at}.approved_by[{i}]", f"{name} is nobody of this plan; name them in `people:` of a role"
    if holding.hash and holding.hash != digest(holding.text):
        yield f"{at}.hash", f"the text changed after its approval: have it approved anew and write its new SHA-256, {digest(holding.text)}"
    if holding.hash and (why := holding.why_not(0)):
        yield f"{at}.hash", f"{why}: fill approved_by (two names), hash and expires (RFC 3339 with a zone)"


def _mean(role: str, plan: Playbook) -> str:
    return nearest(role, list(plan.roles))


def _unknown(path: str, found: Iterable[str], known: Collection[str], what: str) -> Iterator[tuple[str, str]]:
    for i, word in enumerate(found):
        if word not in known:
            yield f"{path}[{i}]", f"{word} is no {what}; {nearest(word, known)}"


def _line(tree: yaml.Node | None, path: str) -> int:
    """Return the line (from 1) of the deepest node of ``path`` ("$.steps[2].role") that the file has."""
    node, line = tree, 1
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", path):
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode) and name:
            for key, value in node.value:
                if key.value == name:
                    found, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and index.isdigit() and int(index) < len(node.value):
            found = node.value[int(index)]
            line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    return line
