"""The days so far: effect sizes against floors, predicted churn rate and accuracy, alert days marked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise
from typing import Any

from sagemaker_jobs.drift_findings import ColumnFinding, Part
from sagemaker_jobs.drift_page_charts import WIDTH
from sagemaker_jobs.drift_page_words import VERDICT_WORDS, chip, day_words
from sagemaker_jobs.page_text import counted, figure, share, shown, shown_name
from sagemaker_jobs.svg_parts import nice_ticks, svg_frame, svg_line, svg_text

MOST_CHARTS = 12
MODEL_SCORE = "model score"
_MOST_DOTS = 45


@dataclass(frozen=True)
class Day:
    """One recorded day; `entry` is its part of the report."""

    date: date
    entry: Part

    @property
    def is_broken(self) -> bool:
        """Whether its data or labels were broken."""
        return bool(self.entry["verdict"] == "data_break")

    @property
    def is_alerting(self) -> bool:
        """Whether an alert was open that evening."""
        return bool(self.entry["status"] != "quiet")


@dataclass(frozen=True)
class Threshold:
    """A level to hold a line against, with its name."""

    value: float
    label: str


def read_days(history: Sequence[Part]) -> list[Day]:
    """Return the days in order of date."""
    days = [Day(date.fromisoformat(str(entry["date"])), entry) for entry in history]
    return sorted(days, key=lambda day: day.date)


def history_section(report: Part, findings: Sequence[ColumnFinding]) -> str:
    """Return the charts over the days; nothing before there are two days to join by a line."""
    days = read_days(report["history"])
    if len(days) < 2:
        return ""
    cards = "".join(_cards(report, findings, days))
    legend = (
        '<p class="legend"><span><i class="key line-key"></i>each day</span>'
        '<span><i class="key dash-key"></i>floor, or value at registration</span>'
        '<span><i class="key alert-key"></i>an alert was open</span>'
        '<span><i class="key break-key">✕</i>broken data</span></p>'
    )
    note = (
        "<p>An effect below its floor never counts, however sure it is. One above it counts only when"
        " it is also"
        " sure: small batches cross the floor by chance.</p>"
    )
    return (
        f'<section class="band"><h2>The days so far</h2>{note}{legend}<div class="multiples">{cards}</div>'
        f"{_day_table(days, findings)}</section>"
    )


def _cards(report: Part, findings: Sequence[ColumnFinding], days: Sequence[Day]) -> list[str]:
    floors = {finding.name: finding.floor for finding in findings if finding.floor}
    cards = [
        _card(
            "All columns",
            "largest effect of any column, as a multiple of its floor",
            days,
            [max(_over_floors(day, floors).values(), default=None) for day in days],
            Threshold(1.0, "floor"),
            lambda value: f"{figure(value)} ×",
        )
    ]
    predictions, performance = report["predictions"], report["performance"]
    rates = [day.entry["predicted_churn_rate"] for day in days]
    before = Threshold(predictions["reference_rate"], "reference") if predictions else None
    cards.append(_card("Predicted churn rate", "share of customers", days, rates, before, share))
    accuracy = [day.entry["accuracy"] for day in days]
    measures = performance["measures"] if performance else []
    registered = next((m["registered"] for m in measures if m["name"] == "accuracy"), None)
    known = Threshold(registered, "registered") if registered is not None else None
    told = "on outcomes that became known that day"
    cards.append(_card("Accuracy", told, days, accuracy, known, share, from_zero=False))
    for name, floor in _followed(report, findings):
        effects = [day.entry["effects"].get(name) for day in days]
        limit = Threshold(floor, "floor") if floor else None
        cards.append(_card(name, "effect size", days, effects, limit, figure))
    return [card for card in cards if card]


def _followed(report: Part, findings: Sequence[ColumnFinding]) -> list[tuple[str, float | None]]:
    """Columns that changed today or are alerting, the most important first, and the score if it is one."""
    alerting = set(report["alert"]["columns"])
    chosen = [
        (finding.name, finding.floor)
        for finding in findings
        if finding.has_changed or finding.name in alerting
    ]
    predictions = report["predictions"]
    if MODEL_SCORE in alerting or (predictions and predictions["verdict"] == "drift"):
        chosen.insert(0, (MODEL_SCORE, report["rule"].get("floor_distance")))
    return chosen[:MOST_CHARTS]


def _over_floors(day: Day, floors: Mapping[str, float]) -> dict[str, float]:
    """Effects of a day as multiples of their floors, of the columns that have both."""
    effects = day.entry["effects"].items()
    return {name: effect / floors[name] for name, effect in effects if effect is not None and name in floors}


def _card(
    name: str,
    told: str,
    days: Sequence[Day],
    values: Sequence[float | None],
    threshold: Threshold | None,
    worded: Callable[[float], str],
    *,
    from_zero: bool = True,
) -> str:
    """Return one chart with its title and its last value; nothing when fewer than two days have a value."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    limit = f", {threshold.label} {worded(threshold.value)}" if threshold else ""
    today = worded(values[-1]) if values[-1] is not None else "none"
    chart = _chart(name, days, values, threshold, worded, from_zero=from_zero)
    return (
        f'<article class="card"><h3>{shown_name(name)}</h3>{chart}'
        f"<p>{escape(told)}: {escape(today)} on the last day{escape(limit)}</p></article>"
    )


def _chart(
    name: str,
    days: Sequence[Day],
    values: Sequence[float | None],
    threshold: Threshold | None,
    worded: Callable[[float], str],
    *,
    from_zero: bool,
) -> str:
    height, left, right, top, base = 150, 44, 10, 10, 116
    first, last = days[0].date.toordinal(), days[-1].date.toordinal()
    known = [value for value in values if value is not None] + ([threshold.value] if threshold else [])
    low, high = (0.0 if from_zero else min(known)), max(known)
    margin = 0.12 * (high - low) or 0.01
    low, high = (low if from_zero else low - margin), high + margin

    def x(day: Day) -> float:
        return left + 4 + (day.date.toordinal() - first) / max(last - first, 1) * (WIDTH - left - right - 8)

    def y(value: float) -> float:
        return base - (value - low) / (high - low) * (base - top)

    parts = []
    for tick in nice_ticks(low, high, 3):
        parts.append(svg_line("grid", f"M{left} {y(tick):.1f}H{WIDTH - right}"))
        parts.append(svg_text("tick", left - 5, y(tick) + 4, "end", worded(tick)))
    if threshold:
        parts.append(svg_line("threshold", f"M{left} {y(threshold.value):.1f}H{WIDTH - right}"))
    commands = [
        f"{'L' if is_joined else 'M'}{x(day):.1f} {y(value):.1f}"
        for day, value, is_joined in zip(days, values, _joined(days, values), strict=True)
        if value is not None
    ]
    parts += [svg_line("axis", f"M{left} {base}H{WIDTH - right}"), svg_line("curve", "".join(commands))]
    parts += [
        f'<circle class="dot" cx="{x(day):.1f}" cy="{y(value):.1f}" r="2.4"/>'
        for day, value in zip(days, values, strict=True)
        if value is not None and (len(days) <= _MOST_DOTS or day is days[-1])
    ]
    parts += _marks(days, x, base)
    parts.append(svg_text("tick", left, height - 6, "start", _short(days[0].date)))
    parts.append(svg_text("tick", WIDTH - right, height - 6, "end", _short(days[-1].date)))
    return svg_frame("chart", WIDTH, height, f"{name}: {counted(len(days), 'day')}", parts)


def _joined(days: Sequence[Day], values: Sequence[float | None]) -> list[bool]:
    """Whether a line joins a day to the one before: both have a value, and no day between is left out."""
    gaps = [(later.date - earlier.date).days for earlier, later in pairwise(days)]
    usual = sorted(gaps)[len(gaps) // 2]
    known = [value is not None for value in values]
    return [False, *(gap <= usual and before for gap, before in zip(gaps, known, strict=False))]


def _marks(days: Sequence[Day], x: Callable[[Day], float], base: float) -> list[str]:
    """A thick line under days with an open alert, a cross under broken ones."""
    half = min((x(days[-1]) - x(days[0])) / max((days[-1].date - days[0].date).days, 1) / 2, 6)
    alerts = "".join(
        f"M{x(day) - half:.1f} {base + 6}h{2 * half + 0.2:.1f}"
        for day in days
        if day.is_alerting and not day.is_broken
    )
    crosses = "".join(f"M{x(day) - 3:.1f} {base + 3}l6 6m-6 0l6 -6" for day in days if day.is_broken)
    lines = (("alert-mark", alerts), ("break-mark", crosses))
    return [svg_line(style, commands) for style, commands in lines if commands]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _day_table(days: Sequence[Day], findings: Sequence[ColumnFinding]) -> str:
    floors = {finding.name: finding.floor for finding in findings if finding.floor}
    rows = []
    for day in reversed(days):
        entry: Any = day.entry
        over = _over_floors(day, floors)
        largest = max(over, key=lambda name: (over[name], name), default=None)
        effect = "–" if largest is None else f"{shown(largest, 40)} {figure(entry['effects'][largest])}"
        status = {"quiet": "–", "drift": "open", "data_break": "data break"}.get(entry["status"], "–")
        rows.append(
            f'<tr><th scope="row">{entry["date"]}</th><td>{chip(entry["verdict"])}</td><td>{status}</td>'
            f'<td class="number">{entry["rows"]:,}</td><td>{effect}</td>'
            f'<td class="number">{share(entry["predicted_churn_rate"])}</td>'
            f'<td class="number">{share(entry["accuracy"])}</td></tr>'
        )
    heads = ("day", "verdict", "alert", "rows", "largest effect", "predicted churn", "accuracy")
    numbers = {"rows", "predicted churn", "accuracy"}
    head = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if name in numbers else ""}>{name}</th>'
        for name in heads
    )
    return (
        f'<details class="card"><summary>All {len(days)} days as a table</summary>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
        "</details>"
    )


def day_strip(report: Part) -> str:
    """Return one mark per day: low when quiet, tall when drifted or broken; nothing for a single day."""
    days = read_days(report["history"])
    if len(days) < 2:
        return ""
    width = 720
    step = min(18.0, width / len(days))
    marks = []
    for place, day in enumerate(days):
        height = {"no_drift": 9, "insufficient_data": 4}.get(day.entry["verdict"], 20)
        size = f'width="{max(step - 2, 1):.1f}" height="{height}" rx="1.5"'
        said = f"{day_words(day.date)}: {VERDICT_WORDS[day.entry['verdict']].word}"
        marks.append(
            f'<rect class="day {escape(day.entry["verdict"])}" x="{place * step:.1f}" y="{22 - height}"'
            f" {size}>"
            f"<title>{escape(said)}</title></rect>"
        )
    bad = sum(day.entry["verdict"] in {"drift", "data_break"} for day in days)
    told = f"{counted(len(days), 'day')}, {bad} of them with drift or broken data"
    strip = svg_frame("strip", max(len(days) * step, width / 2), 24, told, marks)
    reach = f"{day_words(days[0].date)} to {day_words(days[-1].date)}"
    return (
        f'<figure class="days">{strip}<figcaption>{counted(len(days), "recorded day")}, {reach}: tall'
        " marks are days"
        f" of drift or broken data ({bad} of them), low ones quiet days.</figcaption></figure>"
    )
