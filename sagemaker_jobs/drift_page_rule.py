"""What the verdict was made with: batch, notes, what the tests cannot tell, and every setting of the rule."""

from html import escape
from typing import Any

from sagemaker_jobs.drift_findings import Part
from sagemaker_jobs.page_text import byte_size, counted, figure, listed, plain, shown

MOST_NOTES = 30
VALIDITY = (
    (
        "Valid when rows are independent: several rows of one customer, or one family billed together, make"
        " everything look surer than it is."
    ),
    "It tells that something changed, not why: a holiday, a tariff and a broken join can look alike.",
    "An effect below its floor is no drift, however sure it is: in large batches nearly everything is sure.",
    (
        "A difference that was there on the first day and is smaller than the reference's own error cannot"
        " be seen."
    ),
)


def rule_section(report: Part) -> str:
    """Return batch and notes in the open, the settings folded up."""
    notes = [f"<li>{shown(note, 300)}</li>" for note in report["notes"][:MOST_NOTES]]
    rest = len(report["notes"]) - MOST_NOTES
    if rest > 0:
        notes.append(f"<li>and {counted(rest, 'more note')}</li>")
    told = f"<h2>Notes</h2><ul>{''.join(notes)}</ul>" if notes else ""
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _batch_facts(report)
    )
    validity = "".join(f"<li>{escape(sentence)}</li>" for sentence in VALIDITY)
    settings = "".join(
        f"<dt>{shown(str(name).replace('_', ' '))}</dt><dd>{escape(_setting(value))}</dd>"
        for name, value in report["rule"].items()
    )
    return (
        f'<section class="card"><h2>Batch and model</h2><dl class="facts">{facts}</dl>{told}'
        f"<h2>What this can and cannot tell</h2><ul>{validity}</ul>"
        '<details><summary>Every setting of the rule</summary><dl class="facts'
        f' settings">{settings}</dl></details>'
        "</section>"
    )


def _batch_facts(report: Part) -> list[tuple[str, str]]:
    batch, rows, model = report["batch"], report["rows"], report["model"]
    needed = f"; a verdict needs {rows['needed']:,}" if rows["needed"] is not None else ""
    facts = [
        ("batch", f"{batch['date']}: {counted(batch['files'], 'file')}, {byte_size(batch['bytes'])}"),
        ("rows", f"{rows['current']:,} against {rows['reference']:,} of the reference{needed}"),
        (
            "model",
            f"{plain(model['version']) if model['version'] else 'not named'}, {model['data_origin']} data",
        ),
    ]
    for key, name in (("columns_missing", "columns missing"), ("columns_extra", "columns not compared")):
        if batch[key]:
            facts.append((name, listed([str(column) for column in batch[key]], 12)))
    return facts


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(value)
    return plain(value)
