"""Render a drift report as one HTML page that loads nothing: verdict first, then evidence, then the rule.

Every text that comes from data (column and level names, sentences that hold them) is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.drift_report import SEVERITY
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.prediction_drift import SCORE
from include.drift_statistics.profiles import Profile
from sagemaker_jobs.drift_page_charts import WIDTH, bar_chart, history_chart, level_bars, numeric_chart
from sagemaker_jobs.drift_page_style import STYLE_SHEET
from sagemaker_jobs.drift_page_words import (
    VERDICT_TITLES,
    alert_sentence,
    certainty_sentence,
    describe_change,
    figure,
    next_steps,
    probability,
)
from sagemaker_jobs.report_page import SYNTHETIC_BANNER, render_page

MOST_MULTIPLES = 60  # a page of hundreds of columns shows charts of the most important ones only
_MOST_NAMED = 5
_MOST_REASONS = 4
_FLOORS = {"ks_distance": "floor_distance", "total_variation": "floor_total_variation"}

type Part = Mapping[str, Any]


def render_drift_page(
    report: Part,
    reference: Profile,
    current: Profile | None,
    scores: tuple[Profile, Profile] | None = None,
) -> str:
    """Return the whole HTML document.

    Args:
        report: the mapping of drift_report.json.
        reference: profile of what the model was trained on.
        current: profile of the batch, None when it could not be read.
        scores: profiles of the model's scores then and now (`profile_scores`), None without scores.

    """
    features = sort_by_importance(report["features"])
    sections = [
        SYNTHETIC_BANNER if report["model"]["data_origin"] == "synthetic" else "",
        _verdict(report, features, reference, current),
        _steps(report),
        _days(report["history"]),
        _model_sections(report, scores),
        _feature_table(report, features, reference, current),
        _multiples(report, features, reference, current),
        _dependence(report),
        _rule(report),
    ]
    return render_page(f"Drift report of {report['batch']['date']}", sections, STYLE_SHEET)


def sort_by_importance(features: Sequence[Part]) -> list[Part]:
    """Return the columns with the severest verdict first, then the surest, then the largest effect."""
    return sorted(
        features,
        key=lambda feature: (
            -SEVERITY[feature["verdict"]],
            feature["adjusted_p_value"] if feature["adjusted_p_value"] is not None else 1.0,
            -(feature["effect_size"] or 0.0),
            feature["name"],
        ),
    )


def _chip(verdict: str) -> str:
    sign, title = VERDICT_TITLES[verdict]
    return f'<span class="chip {verdict}">{sign} {title.lower()}</span>'


def _verdict(report: Part, features: Sequence[Part], reference: Profile, current: Profile | None) -> str:
    sign, title = VERDICT_TITLES[report["verdict"]]
    rows, model = report["rows"], report["model"]
    against = f"model {model['version']}" if model["version"] else "the reference"
    changed = [feature for feature in features if feature["name"] in set(report["drifted_features"])]
    items = []
    for feature in changed[:_MOST_NAMED]:
        change = describe_change(feature, reference, current)
        items.append(f"<li><b>{escape(feature['name'])}</b>: {escape(change or feature['sentence'])}</li>")
    if len(changed) > _MOST_NAMED:
        items.append(f"<li>and {len(changed) - _MOST_NAMED} more columns</li>")
    return (
        f'<section class="verdict {report["verdict"]}"><h1>{sign} {title}</h1>'
        f"<p><b>Batch of {escape(report['batch']['date'])}</b>, {rows['current']:,} rows, against the"
        f" {rows['reference']:,} rows of {escape(against)}.</p>"
        f"{'<ul>' + ''.join(items) + '</ul>' if items else ''}"
        f"<p>{escape(alert_sentence(report['alert'], report['rule']))}</p>"
        f'<p class="detail">{escape(report["sentence"])}</p>'
        f'<p class="detail">{escape(certainty_sentence(report))}</p></section>'
    )


def _steps(report: Part) -> str:
    items = "".join(f"<li>{escape(step)}</li>" for step in next_steps(report))
    return f'<section class="card"><h2>What to do next</h2><ol class="steps">{items}</ol></section>'


def _days(history: Sequence[Part]) -> str:
    if len(history) < 2:
        return ""
    step = min(16.0, (2 * WIDTH - 8) / len(history))
    squares = []
    for number, day in enumerate(history):
        said = f"{day['date']}: {VERDICT_TITLES[day['verdict']][1].lower()}, {day['rows']:,} rows"
        height = {"no_drift": 12, "insufficient_data": 6}.get(day["verdict"], 22)
        squares.append(
            f'<rect class="day {escape(day["verdict"])}" x="{4 + number * step:.1f}" y="{26 - height}"'
            f' width="{max(step - 2, 1):.1f}" height="{height}" rx="1.5"><title>{escape(said)}</title></rect>'
        )
    alerting = sum(day["status"] != "quiet" for day in history)
    note = (
        f"{len(history)} days from {history[0]['date']} to {history[-1]['date']}, {alerting} of them under an"
        " alert. A tall bar is a day of drift or broken data, a low one a quiet day, the lowest a day of too"
        " few rows."
    )
    return (
        f'<section class="card"><h2>The days so far</h2><svg class="chart" viewBox="0 0 {2 * WIDTH} 30"'
        f' role="img" aria-label="{escape(note)}">{"".join(squares)}</svg><p>{escape(note)}</p></section>'
    )


def _model_sections(report: Part, scores: tuple[Profile, Profile] | None) -> str:
    cards = []
    predictions, performance = report["predictions"], report["performance"]
    if predictions is not None:
        low, high = predictions["current_rate_interval_95"]
        cards.append(
            f'<section class="card"><h2>What the model says {_chip(predictions["verdict"])}</h2>'
            f'<dl class="facts"><dt>predicted to churn</dt><dd>{predictions["reference_rate"]:.1%} →'
            f" {predictions['current_rate']:.1%} (95% interval {low:.1%} to {high:.1%})</dd>"
            f"<dt>score, KS distance</dt><dd>{_statistic(predictions['score']).replace('<br>', ', ')}</dd>"
            f"</dl>{'' if scores is None else _column_chart(SCORE, *scores)}"
            f"<p>{escape(predictions['sentence'])}</p></section>"
        )
    if performance is not None:
        cards.append(_performance_card(performance))
    if len(cards) < 2:
        return "".join(cards)
    return f'<div class="grid">{"".join(cards)}</div>'


def _performance_card(performance: Part) -> str:
    rows = []
    for measure in performance["measures"]:
        interval = " to ".join(figure(end) for end in measure["interval_95"])
        rows.append(
            f'<tr><th scope="row">{escape(measure["name"].replace("_", " "))}</th>'
            f'<td class="number">{figure(measure["value"])}</td><td class="number">{interval}</td>'
            f'<td class="number">{figure(measure["registered"] or 0.0)}</td>'
            f"<td>{_chip(measure['verdict'])}</td></tr>"
        )
    table = (
        '<div class="scroll"><table><thead><tr><th scope="col">measure</th>'
        '<th scope="col" class="number">now</th><th scope="col" class="number">95% interval</th>'
        '<th scope="col" class="number">registered</th><th scope="col"></th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    return (
        f'<section class="card"><h2>How right the model is {_chip(performance["verdict"])}</h2>'
        f"{table if rows else ''}<p>{escape(performance['sentence'])}"
        f" {performance['matched']:,} of {performance['labels']:,} labels matched.</p></section>"
    )


def _statistic(feature: Part) -> str:
    if feature["ks_statistic"] is not None:
        low, high = feature["ks_statistic"], feature["ks_statistic_upper"]
        bracket = "" if f"{low:.3f}" == f"{high:.3f}" else f" to {high:.3f}"
        return f"D {low:.3f}{bracket}<br>p {probability(feature['ks_p_value'])}"
    if feature["chi2_statistic"] is not None:
        statistic, p_value = figure(feature["chi2_statistic"]), probability(feature["chi2_p_value"])
        return f"χ² {statistic}, {feature['dof']} df<br>p {p_value}"
    return ""


def _floor(feature: Part, rule: Part) -> float | None:
    return rule.get(_FLOORS.get(feature["effect_name"], ""))


def _feature_table(
    report: Part, features: Sequence[Part], reference: Profile, current: Profile | None
) -> str:
    rows = []
    for feature in features:
        floor, missing = _floor(feature, report["rule"]), feature["missing"] or {}
        change = describe_change(feature, reference, current)
        reasons = "; ".join(feature["reasons"][:_MOST_REASONS])
        rows.append(
            f'<tr><th scope="row">{escape(feature["name"])}<br>{_chip(feature["verdict"])}</th>'
            f'<td class="reason">{escape(change)}{"<br>" if change and reasons else ""}'
            f"<small>{escape(reasons)}</small></td>"
            f'<td class="test">{_statistic(feature)}</td>'
            f'<td class="number">{probability(feature["adjusted_p_value"])}</td>'
            f'<td class="number">{figure(feature["effect_size"] or 0.0)}'
            f"<br><small>{escape(feature['effect_name'].replace('_', ' '))}"
            f"{'' if floor is None else f', floor {floor:g}'}</small></td>"
            f'<td class="number">{missing.get("reference_missing_share", 0.0):.1%} →'
            f" {missing.get('current_missing_share', 0.0):.1%}"
            "</td></tr>"
        )
    heads = (
        ("feature", ""), ("what changed", ""), ("test", ""), ("adjusted p", "number"),
        ("effect", "number"), ("missing", "number"),
    )  # fmt: skip
    head = "".join(f'<th scope="col" class="{style}">{name}</th>' for name, style in heads)
    return (
        '<section class="card after-grid"><h2>Every feature, most important first</h2>'
        '<div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _multiples(report: Part, features: Sequence[Part], reference: Profile, current: Profile | None) -> str:
    shown = [feature for feature in features[:MOST_MULTIPLES] if feature["name"] in reference.layout]
    cards = []
    for feature in shown:
        name = feature["name"]
        cards.append(
            f'<section class="card"><h3>{escape(name)}{_chip(feature["verdict"])}</h3>'
            f"{_column_chart(name, reference, current)}{_history(feature, report)}</section>"
        )
    left = len(features) - len(shown)
    more = f'<p class="key">{left} more features are in the table above.</p>' if left else ""
    return (
        '<h2 class="section-title">Then and now</h2><p class="key"><i class="before"></i>reference'
        '<i class="now"></i>this batch. Below each: its effect size over the days, the floor dashed, days'
        f' under an alert marked.</p><div class="multiples">{"".join(cards)}</div>{more}'
    )


def _column_chart(name: str, reference: Profile, current: Profile | None) -> str:
    layout, then = reference.layout[name], reference.counts[name]
    now = current.counts.get(name) if current is not None else None
    notes = []
    if isinstance(layout, NumericLayout) and isinstance(then, NumericCounts):
        later = now if isinstance(now, NumericCounts) else None
        chart = numeric_chart(layout, then, later)
        if later is not None:
            notes += [f"{later.infinite:,} infinite"] if later.infinite else []
            notes += [f"{later.unreadable:,} not a number"] if later.unreadable else []
    else:
        before = then if isinstance(then, LevelCounts) else LevelCounts()
        chart = bar_chart(level_bars(before, now if isinstance(now, LevelCounts) else None))
    if current is not None and name not in current.counts:
        notes.append("the column is missing from this batch")
    return chart + (f"<p>{escape(', '.join(notes))}</p>" if notes else "")


def _history(feature: Part, report: Part) -> str:
    days = report["history"]
    values = [day["effects"].get(feature["name"]) for day in days]
    if sum(value is not None for value in values) < 2:
        return ""
    alerting = [day["status"] != "quiet" for day in days]
    chart = history_chart(values, _floor(feature, report["rule"]), alerting)
    return f'<div class="history">{chart}</div>'


def _dependence(report: Part) -> str:
    joint, classifier = report["joint"], report["domain_classifier"]
    parts = []
    if joint is not None:
        parts.append(
            f"<p>{_chip(joint['verdict'])} {escape(joint['sentence'])}"
            f" (p {probability(joint['adjusted_p_value'])} over {joint['pairs']:,} pairs,"
            f" floor {joint['floor']:g})</p>"
        )
    if classifier is not None:
        sentence = str(classifier.get("sentence") or classifier.get("note") or "")
        parts.append(f"<p>{escape(sentence)}</p>")
    if not parts:
        return ""
    return f'<section class="card"><h2>How features go together</h2>{"".join(parts)}</section>'


def _rule(report: Part) -> str:
    settings = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in report["rule"].items()
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in report["notes"])
    return (
        '<section class="card"><details><summary>The rule, as it was applied</summary>'
        f'<dl class="facts">{settings}</dl></details>'
        f"{f'<h2>Notes</h2><ul>{notes}</ul>' if notes else ''}"
        "<p>Not valid when rows depend on each other, several of one customer for example; and a test of"
        " whether, not of why: a holiday is drift too.</p></section>"
    )
