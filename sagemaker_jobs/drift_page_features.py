"""Every column of the report: one table sorted by importance, and one chart each of then and now."""

from collections.abc import Sequence
from html import escape

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Profile
from sagemaker_jobs.distribution_shares import histogram, level_shares, value_shares
from sagemaker_jobs.drift_findings import EFFECT_NAMES, ColumnFinding, Part
from sagemaker_jobs.drift_page_charts import bar_chart, distribution_words, histogram_chart
from sagemaker_jobs.drift_page_details import column_details, effect_interval
from sagemaker_jobs.drift_page_words import chip, moved_missing, moved_values
from sagemaker_jobs.page_text import (
    NOTHING,
    counted,
    figure,
    listed,
    plain,
    probability,
    share,
    shown,
    shown_name,
)

MOST_REASONS = 3
MOST_UNSEEN = 3
OPEN_CHARTS = 24  # of many columns the quiet ones after these wait behind a click
DETAILED_COLUMNS = 30  # columns whose single tests and effect sizes are listed

LEGEND = (
    '<p class="legend"><span><i class="key before-key"></i>reference: what the model was trained on</span>'
    '<span><i class="key now-key"></i>this batch</span></p>'
)
_HEADS = (
    ("feature", ""), ("what changed", ""), ("KS or chi-squared", ""), ("p", "number"),
    ("adjusted p", "number"), ("effect", "number"), ("missing", "number"), ("new or lost levels", ""),
)  # fmt: skip


def feature_table(findings: Sequence[ColumnFinding], reference: Profile, current: Profile | None) -> str:
    """Return the table of all columns, the most important first; folded up when nothing was compared."""
    rows = "".join(_row(finding, reference, current) for finding in findings)
    head = "".join(
        f'<th scope="col" class="{style}">{name}</th>' if style else f'<th scope="col">{name}</th>'
        for name, style in _HEADS
    )
    note = (
        "<p>p: all tests of the column combined; adjusted p: corrected over all columns, the one that"
        " decides."
        " KS and chi-squared stand beside them with p-values of their own. Below an effect stands its 95%"
        " interval; one below its floor never counts. Single tests and all effect sizes are with the"
        " charts.</p>"
    )
    table = (
        f'<div class="scroll"><table class="features"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        f"</div>{note}"
    )
    if current is None:
        return (
            f'<details class="card"><summary>No column was compared ({counted(len(findings), "column")})'
            f"</summary>{table}</details>"
        )
    return f'<section class="card"><h2>Every feature, the most important first</h2>{table}</section>'


def _row(finding: ColumnFinding, reference: Profile, current: Profile | None) -> str:
    entry = finding.entry
    effect = EFFECT_NAMES.get(entry["effect_name"], plain(entry["effect_name"], 40).replace("_", " "))
    floor = f"<small>floor {figure(finding.floor)}</small>" if finding.floor is not None else ""
    interval = effect_interval(entry, entry["effect_name"])
    interval = f"<small>{interval}</small>" if interval else ""
    sized = f"{figure(finding.effect)}{interval}<small>{escape(effect)}</small>{floor}"
    return (
        f'<tr><th scope="row"><span class="name">{shown_name(finding.name)}</span>'
        f"<small>{shown(finding.kind)}</small>"
        f'{chip(finding.verdict)}</th><td class="reason">{_reasons(finding, reference, current)}</td>'
        f'<td class="statistic">{_statistic(entry)}</td>'
        f'<td class="number">{probability(entry["p_value"])}</td>'
        f'<td class="number">{probability(entry["adjusted_p_value"])}</td>'
        f'<td class="number">{sized if finding.effect is not None else NOTHING}</td><td'
        f' class="number">{_missing(entry)}</td>'
        f"<td>{_levels(entry)}</td></tr>"
    )


def _reasons(finding: ColumnFinding, reference: Profile, current: Profile | None) -> str:
    """Return the report's reasons, or its sentence, and how the column moved in its own terms."""
    reasons = finding.reasons or [finding.told]
    said = [plain(reason, 240) for reason in reasons[:MOST_REASONS]]
    rest = len(reasons) - MOST_REASONS
    said += [f"and {counted(rest, 'more reason')}"] if rest > 0 else []
    said[1:1] = moved_values(finding, reference, current)
    return "".join(f"<span>{escape(sentence)}</span>" for sentence in said)


def _statistic(entry: Part) -> str:
    """Return KS as a bracket, or chi-squared with its degrees of freedom, with the p-value of that test."""
    if entry["ks_statistic"] is not None:
        low, high = (f"{entry[key]:.3f}" for key in ("ks_statistic", "ks_statistic_upper"))
        bracket = low if low == high else f"{low} to {high}"
        return f"D {bracket}<small>p {probability(entry['ks_p_value'])}</small>"
    if entry["chi2_statistic"] is not None:
        return (
            f"χ² {figure(entry['chi2_statistic'])}, {entry['dof']} dof"
            f"<small>p {probability(entry['chi2_p_value'])}</small>"
        )
    return NOTHING


def _missing(entry: Part) -> str:
    missing = entry["missing"]
    if missing is None:
        return "not in the batch"
    before, now = missing["reference_missing_share"], missing["current_missing_share"]
    return f"{share(before)} → {share(now)}"


def _levels(entry: Part) -> str:
    """Return levels the reference never had with their rows, then those that the batch has lost."""
    levels, gone = entry["unseen_levels"], entry["vanished_levels"]
    said = [f"{shown(level['level'], 40)} ({level['rows']:,})" for level in levels[:MOST_UNSEEN]]
    rest = len(levels) - MOST_UNSEEN
    said += [f"and {rest:,} more"] if rest > 0 else []
    if gone:
        named = listed([plain(level, 40) for level in gone], MOST_UNSEEN)
        said.append(f"<small>gone: {escape(named)}</small>")
    return "<br>".join(said) or NOTHING


def feature_charts(findings: Sequence[ColumnFinding], reference: Profile, current: Profile | None) -> str:
    """Return one card per column, in order of importance."""
    cards = [
        _card(finding, reference, current, is_detailed=place < DETAILED_COLUMNS)
        for place, finding in enumerate(findings)
    ]
    if current is None:
        return (
            '<details class="band"><summary>What the model was trained on, column by column</summary>'
            f'<div class="multiples">{"".join(cards)}</div></details>'
        )
    open_cards = max(OPEN_CHARTS, sum(finding.verdict != "no_drift" for finding in findings))
    folded = cards[open_cards:]
    more = (
        f"<details><summary>{counted(len(folded), 'more column')} without drift</summary>"
        f'<div class="multiples">{"".join(folded)}</div></details>'
        if folded
        else ""
    )
    return (
        f'<section class="band"><h2>Then and now</h2>{LEGEND}'
        f'<div class="multiples">{"".join(cards[:open_cards])}</div>{more}</section>'
    )


def _card(finding: ColumnFinding, reference: Profile, current: Profile | None, *, is_detailed: bool) -> str:
    drawing, notes = column_chart(finding.name, reference, current)
    # The bars of a category say themselves how it moved.
    moved = [
        *(moved_values(finding, reference, current) if finding.kind == "numeric" else []),
        *moved_missing(finding),
    ]
    words = "".join(f"<p>{escape(note)}</p>" for note in [", ".join(moved), *notes] if note)
    details = column_details(finding) if is_detailed else ""
    return (
        f'<article class="card"><h3><span>{shown_name(finding.name)}</span>{chip(finding.verdict)}</h3>'
        f"{drawing}{words}{details}</article>"
    )


def column_chart(name: str, reference: Profile, current: Profile | None) -> tuple[str, list[str]]:
    """Return the drawing of one column, and what it cannot show in words (plain text)."""
    layout, then = reference.layout.get(name), reference.counts.get(name)
    now = current.counts.get(name) if current is not None else None
    notes = ["The column is not in this batch."] if current is not None and now is None else []
    title = f"{plain(name, 60)}: reference and batch"
    if isinstance(layout, NumericLayout) and isinstance(then, NumericCounts):
        later = now if isinstance(now, NumericCounts) else None
        bars = value_shares(layout, then, later)
        if bars:
            return bar_chart(title, bars, distribution_words(bars)), notes + _unread(later)
        return _numeric_drawing(title, layout, then, later, notes)
    before = then if isinstance(then, LevelCounts) else None
    bars = level_shares(before, now if isinstance(now, LevelCounts) else None)
    if not bars:
        return '<p class="empty">No value on either side.</p>', notes
    return bar_chart(title, bars, distribution_words(bars)), notes


def _numeric_drawing(
    title: str, layout: NumericLayout, then: NumericCounts, now: NumericCounts | None, notes: list[str]
) -> tuple[str, list[str]]:
    drawn = histogram(layout, then, now)
    notes = notes + _unread(now)
    if drawn is None:
        if not then.finite and (now is None or not now.finite):
            return '<p class="empty">No finite number on either side.</p>', notes
        return '<p class="empty">The values lie too far apart, or too close together, to be drawn.</p>', notes
    outside = [
        f"{share(value)} of the {side}"
        for side, value in (("reference", drawn.reference_outside), ("batch", drawn.current_outside))
        if value >= 0.0005
    ]
    if outside:
        extremes = [c for s in (then, now) if s is not None for c in (s.minimum, s.maximum) if c is not None]
        reach = f"{figure(min(extremes))} to {figure(max(extremes))}"
        notes.append(f"Outside the drawing: {' and '.join(outside)}; all values reach from {reach}.")
    notes += _beyond_words(layout, then, now, float(drawn.edges[1] - drawn.edges[0]))
    ends = f"from {figure(float(drawn.edges[0]))} to {figure(float(drawn.edges[-1]))}"
    return histogram_chart(title, drawn, f"Shares of rows {ends} in {len(drawn.edges) - 1} bins"), notes


def _beyond_words(
    layout: NumericLayout, then: NumericCounts, now: NumericCounts | None, bin_width: float
) -> list[str]:
    """Say that a profile keeps only counts beyond the reference's range, where that can be seen."""
    if now is None or not now.finite or None in (then.minimum, then.maximum, now.minimum, now.maximum):
        return []
    low, high = float(then.minimum or 0), float(then.maximum or 0)
    if max(low - float(now.minimum or 0), float(now.maximum or 0) - high) <= bin_width:
        return []
    knots = layout.knots
    below = int(now.cells[1 : 2 * int(knots.searchsorted(then.minimum)) + 2].sum())
    above = int(now.cells[2 * int(knots.searchsorted(then.maximum, side="right")) + 1 : -1].sum())
    beyond = (below + above) / now.finite
    if beyond < 0.01:
        return []
    reach = f"{figure(then.minimum)} to {figure(then.maximum)}"
    return [f"{share(beyond)} of the batch lies beyond the reference's {reach}; there it is drawn evenly."]


def _unread(now: NumericCounts | None) -> list[str]:
    if now is None:
        return []
    counts = ((now.unreadable, "text instead of a number"), (now.infinite, "infinite"))
    said = [f"{count:,} {word}" for count, word in counts if count]
    return [f"In this batch {' and '.join(said)}."] if said else []
