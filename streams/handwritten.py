"""YAML that people write: what is wrong with it is one error with its line, and never a word of the file (a secret may stand there)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

#: What one alias (``*name``) may stand for, in values.
_MOST = 10_000


class NoYaml(Exception):
    """The text cannot be used. ``line`` counts from 1; ``problem`` says what is wrong there."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


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
