"""Render a drift report as one HTML page that loads nothing and runs nothing: verdict first, then evidence.

Every text that comes from data (column and level names, sentences that hold them) is cut to a bounded length
and escaped. What a report does not hold (scores, labels, earlier days) leaves no empty heading.
"""

from collections.abc import Sequence
from html import escape

from include.drift_statistics.profiles import Profile
from sagemaker_jobs.drift_findings import ColumnFinding, Part, findings_by_importance
from sagemaker_jobs.drift_page_alert import alert_section
from sagemaker_jobs.drift_page_features import feature_charts, feature_table
from sagemaker_jobs.drift_page_history import history_section
from sagemaker_jobs.drift_page_model import dependence_section, model_section
from sagemaker_jobs.drift_page_rule import rule_section
from sagemaker_jobs.drift_page_style import STYLE_SHEET
from sagemaker_jobs.drift_page_words import (
    VERDICT_WORDS,
    certainty_words,
    change_items,
    day_words,
    icon,
    lead_sentence,
    model_words,
    next_steps,
    since_words,
)
from sagemaker_jobs.report_page import SYNTHETIC_BANNER, render_page


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
    findings = findings_by_importance(report["features"], report["rule"])
    sections = [
        _verdict(report, findings, reference, current),
        SYNTHETIC_BANNER if report["model"]["data_origin"] == "synthetic" else "",
        _steps(report, findings),
        alert_section(report),
        feature_table(findings, reference, current),
        feature_charts(findings, reference, current),
        model_section(report, scores),
        dependence_section(report),
        history_section(report, findings),
        rule_section(report),
    ]
    title = f"{VERDICT_WORDS[report['verdict']].title}: batch of {report['batch']['date']}"
    return render_page(title, sections, STYLE_SHEET)


def _verdict(
    report: Part, findings: Sequence[ColumnFinding], reference: Profile, current: Profile | None
) -> str:
    verdict, is_read = report["verdict"], current is not None
    items = change_items(report, findings, reference, current) if is_read else []
    listed = "".join(f"<li><b>{escape(name)}</b> {escape(words)}</li>" for name, words in items)
    facts = [("Since", since_words(report))] if since_words(report) != "–" else []
    facts.append(("How sure", certainty_words(report, findings, is_read=is_read)))
    told = "".join(f"<div><dt>{name}</dt><dd>{escape(words)}</dd></div>" for name, words in facts)
    where = f"Churn monitoring, batch of {day_words(report['batch']['date'])}, {model_words(report)}"
    return (
        f'<section class="verdict {escape(verdict)}"><p class="where">{escape(where)}</p>'
        f"<h1>{icon(verdict)}<span>{VERDICT_WORDS[verdict].title}</span></h1>"
        f'<p class="lead">{escape(lead_sentence(report, findings, is_read=is_read))}</p>'
        f"{f'<ul>{listed}</ul>' if listed else ''}<dl>{told}</dl></section>"
    )


def _steps(report: Part, findings: Sequence[ColumnFinding]) -> str:
    steps = next_steps(report, findings)
    kind = "ol" if len(steps) > 1 else "ul"
    items = "".join(f"<li>{escape(step)}</li>" for step in steps)
    return f'<section class="card"><h2>What to do next</h2><{kind} class="steps">{items}</{kind}></section>'
