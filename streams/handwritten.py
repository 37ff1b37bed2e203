"""YAML that people write: what is wrong with it is one error with its line, and never a word of the file (a secret may stand there)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from streams.errors import BadInput

Node = yaml.nodes.Node

#: What one alias (``*name``) may stand for, in values.
_MOST = 10_000
#: Characters from which on a text is long, and how deep it may then be nested: the parser in C would end the process at some depth.
_LONG, _DEEP = 100_000, 100


class NoYaml(Exception):
    """The text cannot be used. ``line`` counts from 1; ``problem`` says what is wrong there."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def text_of(path: Path, called: str) -> str:
    """Return what a file holds (UTF-8, with or without a byte order mark); complaints name it as ``called``. Raises `BadInput`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{called}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{called}: not UTF-8") from None


@contextmanager
def reading(text: str) -> Iterator[None]:
    """Parse ``text`` within: whatever goes wrong is a `NoYaml`.

    Aliases that stand for themselves, or for aliases of aliases without end, are refused before anything walks over them.
    """
    try:
        if "&" in text and "*" in text:
            _bounded(text)
        yield
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # The whole error would quote the line, and `problem` may quote an unknown tag: that is the file's own word, on one line.
        problem = getattr(error, "problem", None) or "unreadable"
        raise NoYaml(mark.line + 1 if mark is not None else 1, f"no YAML: {problem}") from None
    except RecursionError:
        raise NoYaml(1, "nested too deeply") from None
    except ValueError:
        raise NoYaml(1, "a number or a date in it is none: put it in quotes") from None


def _bounded(text: str) -> None:
    """Raise `yaml.YAMLError` where an alias stands for more than a person writes."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    size = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            name = event.anchor or ""
            stands_for = sizes.get(name, _MOST + 1 if name in [anchor for anchor, _ in open_] else 0)
            if stands_for > _MOST:
                error = yaml.MarkedYAMLError(problem="an alias stands for itself or for too much")
                error.problem_mark = event.start_mark  # type: ignore[assignment]  # the stubs know only one of two kinds of mark
                raise error
            size += stands_for
        elif isinstance(event, yaml.ScalarEvent):
            size += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, size))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = size - before


def _loader(text: str) -> Any:
    """Return what reads ``text``: of a long one, which takes Python minutes, the parser in C, which no nesting may be too deep for."""
    quick = getattr(yaml, "CSafeLoader", None)
    if quick is None or len(text) < _LONG:
        return yaml.SafeLoader
    depth = 0
    try:
        for event in yaml.parse(text, Loader=quick):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEP:
                return yaml.SafeLoader
    except yaml.YAMLError:
        return yaml.SafeLoader  # which says what is wrong as ever
    return quick


class Nodes:
    """Walks YAML nodes, so that every complaint names its line. ``name`` is what complaints call the file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def root(self, text: str) -> Node | None:
        """Parse ``text``; None for an empty one. Raises `BadInput` for what is no YAML."""
        try:
            with reading(text):
                return yaml.compose(text, Loader=_loader(text))
        except NoYaml as error:
            raise BadInput(f"{self.name}, line {error.line}: {error.problem}") from None

    def fail(self, node: Node, message: str) -> BadInput:
        """Return the error that names the line of ``node``."""
        return BadInput(f"{self.name}, line {node.start_mark.line + 1}: {message}")

    def mapping(self, node: Node, allowed: tuple[str, ...] | None) -> dict[str, Node]:
        """Return {key: value}; with ``allowed``, another key is an error that names the nearest."""
        if not isinstance(node, yaml.nodes.MappingNode):
            raise self.fail(node, "a mapping (key: value) is expected here")
        found: dict[str, Node] = {}
        for key, value in node.value:
            word = str(key.value)
            if allowed is not None and word not in allowed:
                near = difflib.get_close_matches(word, allowed, 1, 0.0)[0]
                raise self.fail(key, f"unknown key {word!r}; the nearest known key is {near!r}")
            if word in found:
                raise self.fail(key, f"key {word!r} comes twice")
            found[word] = value
        return found

    def text(self, node: Node) -> str:
        """Return a scalar as text."""
        if not isinstance(node, yaml.nodes.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
            raise self.fail(node, "a text is expected here")
        return str(node.value).strip()

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return a list of texts, none of them empty."""
        if not isinstance(node, yaml.nodes.SequenceNode):
            raise self.fail(node, "a list is expected here, as in [first, second]")
        found = tuple(self.text(item) for item in node.value)
        if not all(found):
            raise self.fail(node, "an entry of this list is empty")
        return found

    def number(self, node: Node, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high``."""
        try:
            value = float(self.text(node))
        except ValueError:
            raise self.fail(node, "a number is expected here") from None
        if not low <= value <= high:
            raise self.fail(node, f"the number must be from {low:g} to {high:g}")
        return value
