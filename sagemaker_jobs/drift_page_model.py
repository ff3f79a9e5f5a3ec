"""What the model says about the batch, how right it has been, and how the columns go together."""

from collections.abc import Sequence
from html import escape

from include.drift_statistics.prediction_drift import SCORE
from include.drift_statistics.profiles import Profile
from sagemaker_jobs.drift_findings import Part
from sagemaker_jobs.drift_page_charts import interval_chart
from sagemaker_jobs.drift_page_features import LEGEND, column_chart
from sagemaker_jobs.drift_page_words import chip, day_words
from sagemaker_jobs.page_text import figure, probability, share, shown
from sagemaker_jobs.svg_parts import nice_ticks, svg_frame, svg_line, svg_text

_MEASURES = {
    "accuracy": ("Accuracy", "share of customers predicted rightly"),
    "roc_auc": ("ROC-AUC", "chance that a churner has the higher score"),
    "calibration_gap": ("Calibration gap", "churn rate minus mean score"),
}


def model_section(report: Part, scores: tuple[Profile, Profile] | None) -> str:
    """Return the cards about the model; nothing when the batch was not scored and no outcome is known."""
    cards = [
        _predictions(report["predictions"], scores) if report["predictions"] is not None else "",
        _performance(report["performance"]) if report["performance"] is not None else "",
    ]
    shown_cards = [card for card in cards if card]
    if not shown_cards:
        return ""
    return (
        '<section class="band"><h2>The model on this batch</h2>'
        f'<div class="pair">{"".join(shown_cards)}</div></section>'
    )


def _predictions(predictions: Part, scores: tuple[Profile, Profile] | None) -> str:
    low, high = predictions["current_rate_interval_95"]
    before, now = predictions["reference_rate"], predictions["current_rate"]
    score = predictions["score"]
    rate = (
        f"<p><b>{share(now)}</b> of the customers are predicted to churn (95% interval {share(low)} to"
        f" {share(high)}), {share(before)} in the reference; p"
        f" {probability(predictions['rate_p_value'])}.</p>"
    )
    title = f"Predicted churn rate {share(now)}, reference {share(before)}"
    drawing = ""
    if scores is not None:
        chart, notes = column_chart(SCORE, *scores)
        told = "".join(f"<p>{escape(note)}</p>" for note in notes)
        drawing = f"<h4>Scores</h4>{chart}{LEGEND}{told}"
    statistic = ""
    if score["ks_statistic"] is not None:
        statistic = (
            f"<p>Scores: KS D {score['ks_statistic']:.3f}, adjusted p"
            f" {probability(score['adjusted_p_value'])};"
            f" mean {figure(score['summary'].get('reference_mean'))} →"
            f" {figure(score['summary'].get('current_mean'))}.</p>"
        )
    return (
        f'<article class="card"><h3><span>Scores and predictions</span>{chip(predictions["verdict"])}</h3>'
        f"{interval_chart(title, now, (low, high), before)}{rate}{drawing}{statistic}</article>"
    )


def _performance(performance: Part) -> str:
    measures = performance["measures"]
    rows = "".join(_measure_row(measure) for measure in measures)
    table = (
        '<div class="scroll"><table class="compact"><thead><tr><th scope="col">measure</th>'
        '<th scope="col" class="number">now</th><th scope="col" class="number">95% interval</th>'
        '<th scope="col" class="number">registered</th><th scope="col">verdict</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        if measures
        else ""
    )
    of_day = f" of {day_words(performance['labelled_date'])}" if performance.get("labelled_date") else ""
    matched = (
        f"<p>{performance['matched']:,} of {performance['labels']:,} known outcomes belong to customers"
        " scored in"
        f" the batch{of_day}.</p>"
        if performance["labels"]
        else ""
    )
    needed = ""
    if performance["verdict"] != "data_break" and performance["rows"] < performance["rows_needed"]:
        needed = (
            f"<p>{performance['rows_needed']:,} outcomes would show a fall of accuracy of the allowed"
            " size with"
            " power 0.8.</p>"
        )
    return (
        '<article class="card"><h3><span>Performance on known outcomes</span>'
        f"{chip(performance['verdict'])}</h3>{_interval_drawing(measures)}{table}"
        f"<p>{_arrows(performance['sentence'])}</p>{matched}{needed}</article>"
    )


def _measure_row(measure: Part) -> str:
    title, meaning = _MEASURES.get(measure["name"], (str(measure["name"]), ""))
    low, high = measure["interval_95"]
    return (
        f'<tr><th scope="row">{shown(title)}<small>{escape(meaning)}</small></th>'
        f'<td class="number">{_three(measure["value"])}</td>'
        f'<td class="number">{_three(low)} to {_three(high)}</td>'
        f'<td class="number">{_three(measure["registered"])}</td><td>{chip(measure["verdict"])}</td></tr>'
    )


def _arrows(sentence: str) -> str:
    return shown(sentence, 400).replace(" -&gt; ", " → ")


def _three(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _interval_drawing(measures: Sequence[Part]) -> str:
    """Return accuracy and AUC with their intervals over the range from guessing to perfect."""
    drawn = [m for m in measures if m["name"] in {"accuracy", "roc_auc"}]
    return "" if not drawn else _intervals(drawn)


def _intervals(drawn: Sequence[Part]) -> str:
    width, row, left, right, base = 340, 26, 74, 12, 26 * len(drawn) + 6
    floor = min([0.5, *(m["interval_95"][0] for m in drawn)])

    def x(value: float) -> float:
        return left + (value - floor) / max(1 - floor, 1e-9) * (width - left - right)

    parts = [svg_line("axis", f"M{left} {base}H{width - right}")]
    for tick in nice_ticks(floor, 1.0, 5):
        parts.append(svg_line("grid", f"M{x(tick):.1f} 4V{base}"))
        parts.append(svg_text("tick", x(tick), base + 16, "middle", f"{tick:g}"))
    for place, measure in enumerate(drawn):
        line = place * row + 18
        low, high = measure["interval_95"]
        parts += [
            svg_text("level", 0, line + 4, "start", _MEASURES[measure["name"]][0]),
            svg_line("reference-line", f"M{x(measure['registered']):.1f} {line - 9}v18"),
            svg_line("interval", f"M{x(low):.1f} {line}H{x(high):.1f}"),
            f'<circle class="dot" cx="{x(measure["value"]):.1f}" cy="{line}" r="5"/>',
        ]
    title = "Accuracy and AUC with 95% intervals; a line marks the registered value"
    told = "; ".join(str(measure["sentence"])[:200] for measure in drawn)
    return svg_frame("chart", width, base + 22, title, parts, told)


def dependence_section(report: Part) -> str:
    """Return how columns go together; nothing when that was not tested."""
    joint, classifier = report["joint"], report["domain_classifier"]
    parts = []
    if joint is not None:
        pair = ""
        if joint["columns"] is not None and joint["verdict"] != "drift":
            names = " and ".join(shown(name) for name in joint["columns"])
            pair = (
                f" Largest change that counts: {names}, Spearman correlation"
                f" {figure(joint['reference_correlation'])} → {figure(joint['current_correlation'])}."
            )
        parts.append(
            f'<p class="plain">{chip(joint["verdict"])} {_arrows(joint["sentence"])}</p>'
            f"<p>{joint['pairs']:,} pairs of columns tested, adjusted p"
            f" {probability(joint['adjusted_p_value'])},"
            f" floor {figure(joint['floor'])}.{pair}</p>"
        )
    if classifier is not None:
        parts.append(
            f'<p class="plain">{chip(classifier["verdict"])} {shown(classifier["sentence"], 300)}</p>'
            f"<p>Boosted trees, told apart from {classifier['rows_reference']:,} reference rows on rows"
            " they never"
            f" saw; an AUC below {figure(classifier['floor'])} does not count. It takes part in the verdict"
            " because the rule switches it on.</p>"
        )
    if not parts:
        return ""
    return f'<section class="card"><h2>How columns go together</h2>{"".join(parts)}</section>'
