"""Plots as inline SVG, so that a report is one file and needs nothing: bars with intervals, and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 720
HEIGHT: Final = 260
_LEFT, _TOP, _BOTTOM = 56, 14, 44
#: Colours that people with colour blindness tell apart (Okabe and Ito 2008).
COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


class Bar(NamedTuple):
    """A value and its interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


def bars(title: str, groups: Sequence[str], rows: Mapping[str, Sequence[Bar | None]], *, most: float, lines: Sequence[float] = ()) -> str:
    """Return grouped bars: one group for each of ``groups``, one colour for each of ``rows``; ``lines`` are drawn across."""
    span = (WIDTH - _LEFT - 8) / max(1, len(groups))
    wide = 0.8 * span / max(1, len(rows))
    parts = [_frame(most), *(_across(value, most) for value in lines)]
    for number, (name, values) in enumerate(rows.items()):
        colour = COLOURS[number % len(COLOURS)]
        for place, bar in enumerate(values):
            if bar is None:
                continue
            x = _LEFT + place * span + 0.1 * span + number * wide
            y = _y(bar.value, most)
            label = escape(f"{name}, {groups[place]}: {bar.value:.4g}")
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{0.9 * wide:.1f}" height="{max(0.0, _y(0.0, most) - y):.1f}" fill="{colour}">'
                f"<title>{label}</title></rect>"
            )
            if bar.low is not None and bar.high is not None:
                middle = x + 0.45 * wide
                parts.append(f'<path d="M{middle:.1f} {_y(bar.low, most):.1f}V{_y(bar.high, most):.1f}" stroke="currentColor"/>')
    for place, group in enumerate(groups):
        middle = _LEFT + (place + 0.5) * span
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">{escape(group)}</text>')
    return _figure(title, parts, list(rows))


def lines(title: str, rows: Mapping[str, Sequence[tuple[float, float]]], *, across: str, most: float) -> str:
    """Return a line for each of ``rows``, points (x, y) by x; x is what ``across`` names."""
    furthest = max((x for points in rows.values() for x, _ in points), default=1.0) or 1.0
    parts = [_frame(most)]

    def x_of(value: float) -> float:
        return _LEFT + value / furthest * (WIDTH - _LEFT - 16)

    for number, points in enumerate(rows.values()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x_of(x):.1f},{_y(y, most):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{_y(y, most):.1f}" r="3" fill="{colour}"/>' for x, y in points]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<text x="{x_of(share * furthest):.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">{share * furthest:.3g}</text>'
        )
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>')
    return _figure(title, parts, list(rows))


def _y(value: float, most: float) -> float:
    return HEIGHT - _BOTTOM - min(max(value, 0.0), most) / most * (HEIGHT - _BOTTOM - _TOP)


def _frame(most: float) -> str:
    found = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share * most, most)
        found.append(f'<path d="M{_LEFT} {y:.1f}H{WIDTH - 8}" stroke="currentColor" stroke-opacity=".2"/>')
        found.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * most:.3g}</text>')
    return "".join(found)


def _across(value: float, most: float) -> str:
    return f'<path d="M{_LEFT} {_y(value, most):.1f}H{WIDTH - 8}" stroke="currentColor" stroke-dasharray="4 3"/>'


def _figure(title: str, parts: Sequence[str], names: Sequence[str]) -> str:
    legend = " ".join(
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(name)}</span>'
        for number, name in enumerate(names)
        if name
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(title, quote=True)}">'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg></div>'
        f"<p>{legend}</p></figure>"
    )
