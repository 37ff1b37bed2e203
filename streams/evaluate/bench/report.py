"""A bench's object as a table, and as files: JSON, Markdown and, where matplotlib is installed, a plot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


def figures(found: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of every leaf."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from figures(value, f"{name}.{key}" if name else str(key))
    elif isinstance(found, list):
        for number, value in enumerate(found):
            yield from figures(value, f"{name}.{number}")
    else:
        yield name, found


def table_lines(found: dict[str, Any]) -> list[str]:
    """Return the table for people: contestants by rate where there are some, then every other figure."""
    lines = []
    contestants = found.get("contestants", {})
    for name, entry in sorted(contestants.items(), key=lambda item: -item[1]["records_per_second"]["median"]):
        rate = entry["records_per_second"]
        ratio = found["ratios"].get(name)
        beside = f"   veille is {ratio:.2f} x" if ratio is not None else ""
        lines.append(
            f"{name:16} {rate['median']:12,.0f} /s  ({rate['min']:,.0f} to {rate['max']:,.0f}){entry['cpu_us']:9.2f} us of CPU each{beside}"
        )
    rest = {key: value for key, value in found.items() if key not in ("contestants", "ratios")}
    return lines + [f"{name:40} {value:.6g}" if isinstance(value, float) else f"{name:40} {value}" for name, value in figures(rest)]


def write_report(found: dict[str, Any], folder: Path) -> list[Path]:
    """Write ``NAME.json``, ``NAME.md`` and, with matplotlib, ``NAME.png`` into ``folder``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    name = found["bench"]
    paths = [folder / f"{name}.json", folder / f"{name}.md"]
    paths[0].write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    paths[1].write_text(f"# veille bench {name}\n\n```\n" + "\n".join(table_lines(found)) + "\n```\n", "utf-8")
    try:
        import matplotlib
    except ImportError:
        return paths
    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels, values, low, high, unit = _bars(found)
    if labels:
        plot, axes = pyplot.subplots(figsize=(8, 0.5 * len(labels) + 1.5))
        errors = [[v - a for v, a in zip(values, low, strict=True)], [b - v for v, b in zip(values, high, strict=True)]]
        axes.barh(labels, values, xerr=errors, color="#3b6ea5")
        axes.invert_yaxis()
        axes.set_xlabel(unit)
        axes.set_title(f"veille bench {name}")
        plot.tight_layout()
        paths.append(folder / f"{name}.png")
        plot.savefig(paths[-1], dpi=120)
        pyplot.close(plot)
    return paths


def _bars(found: dict[str, Any]) -> tuple[list[str], list[float], list[float], list[float], str]:
    """Return labels, values, lows and highs of the bench's main figure, and its unit."""
    if "contestants" in found:
        rates = {name: entry["records_per_second"] for name, entry in found["contestants"].items()}
        low, high = [rate["min"] for rate in rates.values()], [rate["max"] for rate in rates.values()]
        return list(rates), [rate["median"] for rate in rates.values()], low, high, "records a second"
    pairs: list[tuple[str, float]] = []
    unit = ""
    if "loads" in found:
        unit = "ms"
        pairs = [(f"{load['share']:.0%} {q}", load[f"{q}_ms"]) for load in found["loads"] for q in ("p50", "p95", "p99")]
    elif "brands" in found and "workers" in found:
        unit = "µs of CPU a mention"
        pairs = [(f"{entry['count']} brands", entry["us_per_mention"]) for entry in found["brands"]]
    elif "parts" in found:
        unit = "µs"
        pairs = list(found["parts"].items())
    elif "per_second" in found:
        unit = "states a second"
        pairs = [("recovery", found["per_second"])]
    pairs = [(label, value) for label, value in pairs if value is not None]
    values = [value for _, value in pairs]
    return [label for label, _ in pairs], values, values, values, unit
