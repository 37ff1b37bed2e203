"""The report of an exam: one HTML file with its plots and every figure, which asks nothing of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from streams.evaluate.figures import Bar, bars, lines

#: Light and dark as the reader has it; what is too wide for a phone scrolls by itself.
_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1c1f23;--paper:#fff;--line:#c9ced4;--focus:#6b7f95}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#15181b;--line:#454d55;--focus:#8ea4bb}}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:0 auto;padding:1rem;color:var(--ink);background:var(--paper)}"
    "h1{font-size:1.6rem}table{border-collapse:collapse;width:100%}td{padding:.15rem .8rem .15rem 0;border-bottom:1px solid var(--line);"
    "overflow-wrap:anywhere}td+td{text-align:right;padding-right:0;font-variant-numeric:tabular-nums}"
    ".scroll{overflow-x:auto}.scroll:focus-visible{outline:3px solid var(--focus)}"
    "svg{display:block;width:100%;min-width:36rem;height:auto;font:11px sans-serif}svg text{fill:currentColor}"
    "figure{margin:1.5rem 0}figcaption{font-weight:600}p{overflow-wrap:anywhere}"
    "i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em}"
)
_HEAD: Final = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)


def report(exam: str, found: Mapping[str, Any], folders: Sequence[str]) -> str:
    """Return the report as HTML; names from data are escaped."""
    plots = "".join(_PLOTS[exam](found)) if exam in _PLOTS else ""
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(shown)}</td></tr>" for name, shown in _rows(found))
    title = f"veille evaluate {exam}"
    return (
        f'<!doctype html><html lang="en"><head>{_HEAD}<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1><p>Over {escape(', '.join(folders))}. Thin lines and brackets are 90 % bootstrap intervals.</p>"
        f"{plots}<h2>All figures</h2><table>{rows}</table></main></body></html>\n"
    )


def _rows(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, words) of every figure, its interval beside it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            stem, _, end = str(key).rpartition("_")
            if end in ("low", "high") and stem in value:
                continue
            low, high = value.get(f"{key}_low"), value.get(f"{key}_high")
            whole = f"{name}.{key}" if name else str(key)
            if low is not None and high is not None and not isinstance(inner, Mapping | list):
                yield whole, f"{_shown(inner)} ({_shown(low)} to {_shown(high)})"
            else:
                yield from _rows(inner, whole)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _rows(inner, f"{name}.{place}")
    else:
        yield name, _shown(value)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)


def _bar(row: Mapping[str, Any], name: str) -> Bar | None:
    value = row.get(name)
    return None if value is None else Bar(float(value), row.get(f"{name}_low"), row.get(f"{name}_high"))


def _lead(found: Mapping[str, Any]) -> Iterator[str]:
    curves = {"Veille": found["curve"], **found["rules"]}
    for figure, title in (
        ("opened_share", "Crises opened"),
        ("opened_before_tenth_share", "Crises opened before a tenth of their mentions"),
        ("opened_before_half_share", "Crises opened before half of their mentions"),
    ):
        points = {
            name: [
                (row["false_alarms_per_brand_day"], row[figure])
                for row in curve
                if None not in (row["false_alarms_per_brand_day"], row[figure])
            ]
            for name, curve in curves.items()
        }
        yield lines(title, points, across="false alarms a brand-day, realised", most=1.0)
    asked = [f"{row['asked_per_brand_day']:g}" for row in found["curve"]]
    rows = {name: [_bar(row, "median_minutes") for row in curve] for name, curve in curves.items()}
    longest = max((bar.high or bar.value for values in rows.values() for bar in values if bar), default=60.0)
    yield bars("Median minutes from onset to opening, by false alarms a brand-day asked", asked, rows, most=longest or 60.0)


def _volume(found: Mapping[str, Any]) -> Iterator[str]:
    names = [name for name in ("standard", "reward_low_FP_rate", "reward_low_FN_rate") if name in found]
    yield bars("NAB score at the shipped settings", names, {"Veille": [_bar(found, name) for name in names]}, most=100.0)
    others = found["published"]
    if others:
        scores = [_bar(row, "standard") for row in (found, *others.values())]
        yield bars("Standard score beside published detectors (their best threshold)", ["Veille", *others], {"": scores}, most=100.0)
    series = found["series"]
    yield bars("Standard score by series", [row["name"] for row in series], {"": [_bar(row, "standard") for row in series]}, most=100.0)


def _budget(found: Mapping[str, Any]) -> Iterator[str]:
    asked = [f"{row['asked_per_week']:g} a week" for row in found["rows"]]
    ratios = [None if row["ratio"] is None else Bar(row["ratio"], row["low"], row["high"]) for row in found["rows"]]
    yield bars(
        "False alarms realised over asked",
        asked,
        {"Veille": ratios},
        most=max(2.0, *(bar.high or 0.0 for bar in ratios if bar)),
        lines=(1.0, 1.5),
    )
    windows = {
        "alarm budget": [Bar(row["windows_hit"]) for row in found["rows"]],
        "fixed threshold": [Bar(row["windows_hit_fixed"]) for row in found["rows"]],
    }
    yield bars("Windows hit, beside a fixed threshold of as many false alarms", asked, windows, most=max(1.0, found["windows"]))


def _cascades(found: Mapping[str, Any]) -> Iterator[str]:
    names = ("auc", "velocity_auc", "count_auc", "seismic_auc", "r_auc", "ceiling_auc")
    moments = {f"{key} events": row for key, row in found["events"].items()} | {f"{key} min": row for key, row in found["minutes"].items()}
    rows = {name.removesuffix("_auc"): [_bar(row, name) for row in moments.values()] for name in names}
    yield bars("Ends in the top tenth: AUC", list(moments), {"Veille": rows.pop("auc"), **rows}, most=1.0, lines=(0.5,))
    deciles = [str(place + 1) for place in range(10)]
    covers = {
        name: [None if value is None else Bar(value) for value in found[key]]
        for name, key in (("of the final size", "coverage_by_decile"), ("of the size foreseen", "coverage_by_foreseen_decile"))
    }
    yield bars("How often the 90 % interval holds, by decile", deciles, covers, most=1.0, lines=(0.85, 0.95))


def _rumour(found: Mapping[str, Any]) -> Iterator[str]:
    counts = list(found["reactions"])
    for name, title, most in (("macro_f1", "Macro-F1", 100.0), ("calibration_error", "Calibration error", 0.5)):
        values = [_bar(found["reactions"][count], name) for count in counts]
        yield bars(title, [f"{count} reactions" for count in counts], {"Veille": values}, most=most)


def _sentiment(found: Mapping[str, Any]) -> Iterator[str]:
    names = list(found["languages"])
    yield bars("Macro-F1", names, {"Veille": [_bar(row, "macro_f1") for row in found["languages"].values()]}, most=100.0)


def _desk(found: Mapping[str, Any]) -> Iterator[str]:
    moments = {
        name: found[key]
        for key, name in (("opening", "at the opening"), ("hour", "an hour later"), ("last", "last word"))
        if found.get(key, {}).get("n", key in found)
    }
    rows = list(moments.values())
    yield bars("Kind right", list(moments), {"Veille": [_bar(row, "kind_accuracy") for row in rows]}, most=1.0)
    usual = [_bar(row, "severity_rps_of_frequencies") for row in rows]
    scores = {"Veille": [_bar(row, "severity_rps") for row in rows], "these events' own frequencies": usual}
    yield bars("Severity: ranked probability score (0 is perfect)", list(moments), scores, most=0.25)
    levels = ("1", "2", "3", "4", "5")
    by_class = {
        name: [_bar(row["severity_rps_by_class"][level], "rps") if level in row["severity_rps_by_class"] else None for level in levels]
        for name, row in moments.items()
    }
    yield bars("Ranked probability score by true severity", [f"severity {level}" for level in levels], by_class, most=0.5)
    for name, row in moments.items():
        for figure, title in (("severity", "Severities"), ("kind", "Kinds")):
            table = row[f"{figure}_reliability"]
            held = {
                word: [Bar(one[key]) for one in table.values()]
                for word, key in (("probability said, mean", "said"), ("share that came", "came"))
            }
            yield bars(f"{title} {name}: what was said beside what came", [key.replace("_", " ") for key in table], held, most=1.0)


_PLOTS: Final[dict[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    "lead": _lead, "volume": _volume, "budget": _budget, "cascades": _cascades, "rumour": _rumour, "sentiment": _sentiment,
    "desk": _desk,
}  # fmt: skip
