"""What the drift page says in words: the verdict, what changed and by how much, how sure, what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.profiles import Profile
from sagemaker_jobs.distribution_shares import level_shares
from sagemaker_jobs.drift_findings import ColumnFinding, Part
from sagemaker_jobs.page_text import counted, figure, listed, plain, probability, share

MOST_NAMED = 6
_SENTENCE = 400


@dataclass(frozen=True)
class VerdictWords:
    """A verdict as a person reads it: headline, word of a chip, and the path of its icon (16 by 16)."""

    title: str
    word: str
    icon: str


VERDICT_WORDS: Mapping[str, VerdictWords] = {
    "no_drift": VerdictWords("No drift", "no drift", "M3 8.5l3.2 3.2L13 4.8"),
    "drift": VerdictWords("Drift", "drift", "M8 2.2L14.6 13.8H1.4ZM8 6.6v3.4M8 11.6v.6"),
    "data_break": VerdictWords(
        "Broken data: do not retrain on this batch", "data break", "M3.5 3.5l9 9M12.5 3.5l-9 9"
    ),
    "insufficient_data": VerdictWords(
        "Too few rows to judge",
        "too few to judge",
        "M5.4 6a2.6 2.6 0 1 1 3.7 2.4C8.3 8.8 8 9.3 8 10.3M8 12.6v.6",
    ),
}


def icon(verdict: str) -> str:
    """Return the icon of a verdict; the word beside it says the same."""
    path = VERDICT_WORDS[verdict].icon
    return f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{path}"/></svg>'


def chip(verdict: str) -> str:
    """Return a verdict as a small label: colour, icon and word."""
    return f'<span class="chip {escape(verdict)}">{icon(verdict)}{VERDICT_WORDS[verdict].word}</span>'


def day_words(day: date | str) -> str:
    """Return a date as people write it."""
    known = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{known.day} {known:%B %Y}"


def model_words(report: Part) -> str:
    """Return what the batch was compared with."""
    version = report["model"]["version"]
    return f"model {plain(version)}" if version else "the model"


def lead_sentence(report: Part, findings: Sequence[ColumnFinding], *, is_read: bool) -> str:
    """Return the verdict in one plain sentence."""
    rows, verdict = report["rows"], report["verdict"]
    trained = f"the {rows['reference']:,} rows that {model_words(report)} was trained on"
    if verdict == "no_drift":
        return f"The {counted(rows['current'], 'row')} of this batch look like {trained}."
    if verdict == "insufficient_data":
        came = f"{counted(rows['current'], 'row')} came"
        if rows["needed"] is None:
            return (
                f"{came}, but a reference of {counted(rows['reference'], 'row')} is too small to judge any."
            )
        return f"{came}; at least {rows['needed']:,} are needed to judge a batch."
    if verdict == "data_break" and not is_read:
        said = str(report["sentence"]).removeprefix("Data break, do not retrain on this batch: ")
        return plain(f"The batch could not be read: {said.removesuffix('.')}", _SENTENCE)
    changed = [finding.name for finding in findings if finding.verdict == verdict]
    others = _changed_besides(report)
    if not changed:
        what = listed(others) or "the data"
        verb = "broken" if verdict == "data_break" else "changed"
        return f"{what[:1].upper()}{what[1:]} {verb}, against {trained}."
    done = "broken" if verdict == "data_break" else "changed"
    verb = ("is " if len(changed) == 1 else "are ") + done if done == "broken" else done
    besides = f", and {listed(others)}" if others and verdict == "drift" else ""
    told = f"{len(changed)} of {counted(len(findings), 'column')} {verb}: {listed(changed)}{besides}"
    return f"{told}. Compared with {trained}."


def _changed_besides(report: Part) -> list[str]:
    """Name what changed and is no column."""
    parts = (
        ("joint", "how columns go together"),
        ("predictions", "the model's scores"),
        ("performance", "how right the model is"),
        ("domain_classifier", "the columns taken together"),
    )
    return [
        name
        for key, name in parts
        if report[key] is not None and report[key]["verdict"] in {"drift", "data_break"}
    ]


def moved_values(finding: ColumnFinding, reference: Profile, current: Profile | None) -> list[str]:
    """Return how the values moved in the column's own terms: its mean, or the level that moved most."""
    then = reference.counts.get(finding.name)
    now = current.counts.get(finding.name) if current is not None else None
    if isinstance(then, LevelCounts) and isinstance(now, LevelCounts):
        bars = [bar for bar in level_shares(then, now) if None not in (bar.reference, bar.current)]
        if not bars:
            return []
        moved = max(bars, key=lambda bar: abs(bar.change))
        new = " (new)" if moved.is_new else ""
        return [f"{moved.label}{new} {share(moved.reference)} → {share(moved.current)}"]
    summary = finding.entry["summary"]
    before, after = summary.get("reference_mean"), summary.get("current_mean")
    if before is None or after is None:
        return []
    return [f"mean {figure(before)} → {figure(after)}"]


def moved_missing(finding: ColumnFinding) -> list[str]:
    """Return how the share of missing values moved; empty when it did not."""
    missing = finding.entry["missing"]
    if missing is None:
        return []
    before, now = missing["reference_missing_share"], missing["current_missing_share"]
    if before is None or now is None:
        return []
    return [f"missing {share(before)} → {share(now)}"] if abs(now - before) >= 0.001 else []


def change_items(
    report: Part, findings: Sequence[ColumnFinding], reference: Profile, current: Profile | None
) -> list[tuple[str, str]]:
    """Return what changed and by how much, name and words, the most important first; plain text."""
    changed = [finding for finding in findings if finding.has_changed]
    items = []
    for finding in changed[:MOST_NAMED]:
        moved = [*moved_values(finding, reference, current), *moved_missing(finding)]
        reasons = [plain(reason, 200) for reason in finding.reasons or [finding.told]]
        # What broke holds the figures itself; drift is told in the column's own terms first.
        said = [plain(reason, 200) for reason in finding.breaks[:2]] or [
            *([", ".join(moved)] if moved else []),
            reasons[0],
        ]
        items.append((plain(finding.name, 60), "; ".join(said)))
    if len(changed) > MOST_NAMED:
        items.append(
            ("and more", f"{counted(len(changed) - MOST_NAMED, 'further column')} in the table below")
        )
    joint, predictions, performance = (report[key] for key in ("joint", "predictions", "performance"))
    if joint is not None and joint["verdict"] == "drift":
        items.append(("dependence", plain(joint["sentence"], 200).replace(" -> ", " → ")))
    if predictions is not None and predictions["verdict"] in {"drift", "data_break"}:
        rates = share(predictions["reference_rate"]), share(predictions["current_rate"])
        items.append(("model scores", f"predicted churn rate {rates[0]} → {rates[1]}"))
    if performance is not None and performance["verdict"] in {"drift", "data_break"}:
        worse = [m["sentence"] for m in performance["measures"] if m["verdict"] == "drift"]
        items.append(("performance", plain("; ".join(worse) or performance["sentence"], 300)))
    classifier = report["domain_classifier"]
    if classifier is not None and classifier["verdict"] == "drift":
        items.append(("columns together", plain(classifier["sentence"], 200)))
    return items


def since_words(report: Part) -> str:
    """Return since when, as far as the days tell."""
    alert, verdict = report["alert"], report["verdict"]
    if alert["status"] != "quiet" and alert["since"]:
        return day_words(alert["since"])
    if verdict in {"drift", "data_break"}:
        return "seen on this day only"
    return "–"


def certainty_words(report: Part, findings: Sequence[ColumnFinding], *, is_read: bool) -> str:
    """Return how sure the verdict is, and what would be wrong with it."""
    rule, rows, verdict = report["rule"], report["rows"], report["verdict"]
    if verdict == "insufficient_data":
        return "not at all: this is no verdict on the data"
    if verdict == "data_break":
        return "certain or p below 10⁻⁶ for every reason" if is_read else "certain: nothing could be compared"
    if verdict == "no_drift":
        if rows["needed"] is None:
            return f"a quiet day is called drift at most {share(rule['alpha'])} of the time"
        return (
            f"a shift of {rule['detectable_shift']:g} sd in one column shows from {rows['needed']:,} rows on"
            f" in at least {rule['detectable_power']:.0%} of batches; smaller ones can pass on a single day"
        )
    parts = [finding.entry["adjusted_p_value"] for finding in findings if finding.verdict == "drift"]
    joint, predictions = report["joint"], report["predictions"]
    if joint is not None and joint["verdict"] == "drift":
        parts.append(joint["adjusted_p_value"])
    if predictions is not None and predictions["verdict"] == "drift":
        parts.append(predictions["score"]["adjusted_p_value"])
    if report["performance"] is not None:
        measures = report["performance"]["measures"]
        parts += [measure["adjusted_p_value"] for measure in measures if measure["verdict"] == "drift"]
    if report["domain_classifier"] is not None and report["domain_classifier"]["verdict"] == "drift":
        parts.append(report["domain_classifier"]["adjusted_p_value"])
    known = [value for value in parts if value is not None]
    if not known:
        return f"drift is called at p {rule['alpha']:g}"
    return f"p {_equals(min(known))} after correction over all tests; drift is called at {rule['alpha']:g}"


def _equals(value: float) -> str:
    told = probability(value)
    return told if told.startswith("<") else f"= {told}"


def next_steps(report: Part, findings: Sequence[ColumnFinding]) -> list[str]:
    """Return what a person does now, in order; plain text."""
    verdict, again = report["verdict"], f'{{"batch_date": "{report["batch"]["date"]}"}}'
    if verdict == "data_break":
        return _steps_of_a_break(report, findings, again)
    if verdict == "drift":
        return _steps_of_drift(report, findings)
    if verdict == "insufficient_data":
        needed = report["rows"]["needed"]
        if needed is None:
            return ["The reference itself is too small for any batch: train a model on more customers."]
        return [
            (
                f"Find out whether the batch is complete: {counted(report['rows']['current'], 'row')} came,"
                f" {needed:,} are needed."
            ),
            f"When the rest is there, run churn_drift_monitoring with {again}; the day is replaced.",
            (
                "If batches are always this small, judge several days at once: point batch_uri to a folder"
                " that holds them all."
            ),
            "Do not read this as “no drift”: the batch was too small to tell.",
        ]
    alert = report["alert"]
    if alert["status"] != "quiet":
        return [
            (
                f"This batch agrees with the reference, yet the alert of {day_words(alert['since'])} is"
                " still open: it"
                " clears by itself after five days back at the baseline."
            ),
            "Until then follow up on what the alert named: " + listed(list(alert["columns"])) + ".",
        ]
    return ["Nothing has to be done. The next batch is judged when it comes."]


def _steps_of_a_break(report: Part, findings: Sequence[ColumnFinding], again: str) -> list[str]:
    broken = [finding.name for finding in findings if finding.verdict == "data_break"]
    performance = report["performance"]
    named = f" the reasons for {listed(broken)}" if broken else " the sentence above"
    steps = [
        "Do not retrain on this batch, and do not act on scores made from it.",
        f"Send the team that delivers the data{named}, and ask what changed in the export.",
        (
            f"When it is mended, deliver the batch anew and run churn_drift_monitoring with {again}; the day"
            " is replaced, never counted twice."
        ),
        (
            "If the new form is meant to stay (a new code, another unit), change the schema first and train a"
            " new model on data in that form."
        ),
    ]
    if performance is not None and performance["verdict"] == "data_break" and not broken:
        steps[1] = "Send the team that delivers the outcomes the sentence above: the labels cannot be read."
    return steps


def _steps_of_drift(report: Part, findings: Sequence[ColumnFinding]) -> list[str]:
    changed = [finding.name for finding in findings if finding.verdict == "drift"]
    predictions, performance = report["predictions"], report["performance"]
    steps = []
    if changed:
        steps.append(
            f"Ask the team that delivers the data whether the source of {listed(changed, 3)} changed: another"
            " unit, filter, join or system. If so, it is a fault of the feed: have it mended, do not retrain."
        )
        steps.append(
            "Ask the product and marketing teams whether something changed on purpose: a tariff, a"
            " campaign, a"
            " new kind of customer."
        )
    if predictions is not None and predictions["verdict"] == "drift":
        rates = share(predictions["reference_rate"]), share(predictions["current_rate"])
        steps.append(
            f"Tell those who act on the scores: the predicted churn rate went from {rates[0]} to"
            f" {rates[1]}, so"
            " lists and budgets made from it change too."
        )
    if performance is not None and performance["verdict"] == "drift":
        steps.append(
            "The model is worse than registered on customers whose outcome is known: plan a retraining"
            " on recent"
            " customers, or go back to the version before."
        )
    steps.append(
        "If the customers have changed and stay so, run churn_retraining with input_data_uri on data"
        " that hold"
        " the change; the parameter retrain_on_drift does it by itself, within its cooldown and monthly"
        " budget."
    )
    if report["alert"]["status"] == "quiet":
        steps.append("Do not retrain for this one day: no alert is open, wait whether the days confirm it.")
    steps.append(
        "Do not raise alpha to silence it. A change that is known and harmless is excused by its floor"
        " (floor_location, floor_total_variation)."
    )
    return steps
