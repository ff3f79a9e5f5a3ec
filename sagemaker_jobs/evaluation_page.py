"""Render the evaluation report as one HTML page that loads nothing: no script, font or image from outside.

The page says what was measured in plain sentences; whether that is good enough is the gate's decision. Every
text that comes from data or arguments is escaped.
"""

from html import escape

from include.data_contracts.evaluation_report import EvaluationReport, MetricEstimate
from sagemaker_jobs.report_page import SYNTHETIC_BANNER, render_page
from sagemaker_jobs.svg_charts import Chart, Marker, render_chart

# name in the report → (title, what it means)
METRIC_TITLES = {
    "accuracy": ("Accuracy", "share of customers predicted rightly"),
    "accuracy_best_constant_classifier": ("Accuracy of a constant answer", "always the larger class"),
    "precision": ("Precision", "share of churners among those predicted to churn"),
    "recall": ("Recall", "share of all churners that are predicted to churn"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "roc_auc": ("ROC-AUC", "chance that a churner has a higher score than a stayer"),
    "pr_auc": ("PR-AUC", "average precision over all thresholds; the churn rate for a random score"),
    "brier_score": ("Brier score", "mean squared error of the probability; smaller is better"),
    "log_loss": ("Log loss", "mean logarithmic error of the probability; smaller is better"),
    "lift_at_10_percent": (
        "Lift at 10%",
        "churn rate among the tenth with the highest scores, over that of all",
    ),
}


def render_evaluation_page(report: EvaluationReport) -> str:
    """Return the whole HTML document."""
    model, dataset = report.model, report.dataset
    subtitle = (
        f"{model.algorithm} on {dataset.item_count:,} held-out customers, {dataset.churn_rate:.1%} of whom"
        f" churned; schema {dataset.schema_name}; trained on {model.training_rows:,} customers"
    )
    sections = [
        "<h1>Churn model evaluation</h1>",
        f'<p class="subtitle">{escape(subtitle)}</p>',
        SYNTHETIC_BANNER if report.data_origin == "synthetic" else "",
        _headline_figures(report),
        '<section class="card"><h2>In plain words</h2><ul class="sentences">',
        *(f"<li>{escape(sentence)}</li>" for sentence in describe_in_sentences(report)),
        "</ul></section>",
        f'<div class="grid">{"".join(_chart_cards(report))}</div>',
        _metric_table(report),
        f'<div class="grid">{_confusion_card(report)}{_model_card(report)}</div>',
        f"<footer>{escape(_describe_bootstrap(report))}</footer>",
    ]
    return render_page(f"Churn model evaluation: {model.algorithm}", sections)


def _headline_figures(report: EvaluationReport) -> str:
    cells = []
    for name in ("accuracy", "roc_auc", "lift_at_10_percent", "brier_score"):
        estimate = report.metric(name)
        digits = 2 if name == "lift_at_10_percent" else 3
        cells.append(
            f'<div class="figure"><span>{METRIC_TITLES[name][0]}</span><b>{estimate.value:.{digits}f}</b>'
            f"<span>95%: {estimate.lower:.{digits}f} to {estimate.upper:.{digits}f}</span></div>"
        )
    return f'<div class="figures">{"".join(cells)}</div>'


def describe_in_sentences(report: EvaluationReport) -> list[str]:
    """Return what the figures say, in plain sentences and without a verdict."""
    accuracy, constant = report.metric("accuracy"), report.metric("accuracy_best_constant_classifier")
    auc, lift = report.metric("roc_auc"), report.metric("lift_at_10_percent")
    churn_rate, matrix = report.dataset.churn_rate, report.confusion_matrix
    flagged = matrix.true_positives + matrix.false_positives
    churners = matrix.true_positives + matrix.false_negatives
    larger = "stays" if churn_rate <= 0.5 else "churns"
    constant_answer = f"always answering “{larger}” would be right for {constant.value:.1%}"
    pair = "Shown one customer who churned and one who stayed, it gives the churner the higher score"
    times = f"{lift.value:.2f} times ({lift.lower:.2f} to {lift.upper:.2f}) the rate of all customers"
    sentences = [
        f"The model is right for {accuracy.value:.1%} of customers {_interval(accuracy)}; {constant_answer}.",
        f"{pair} {auc.value:.1%} of the time {_interval(auc)}; guessing would do so half of the time.",
        f"Of the tenth with the highest scores {lift.value * churn_rate:.1%} churned, which is {times}.",
    ]
    if flagged:
        sentences.append(
            f"At its threshold of {report.model.decision_threshold:.0%} it flags {flagged:,} of"
            f" {report.dataset.item_count:,} customers; {matrix.true_positives:,} of these churned, out of"
            f" {churners:,} who churned in all."
        )
    else:
        sentences.append(
            f"At its threshold of {report.model.decision_threshold:.0%} it flags no customer at all."
        )
    return sentences


def _interval(estimate: MetricEstimate) -> str:
    return f"(95% interval {estimate.lower:.1%} to {estimate.upper:.1%})"


def _points(report: EvaluationReport, curve: str, x: str, y: str) -> list[tuple[float, float]]:
    columns = report.curves[curve]
    return list(zip(columns[x], columns[y], strict=True))


def _chart_cards(report: EvaluationReport) -> list[str]:
    matrix, churn_rate = report.confusion_matrix, report.dataset.churn_rate
    flagged = matrix.true_positives + matrix.false_positives
    churners = matrix.true_positives + matrix.false_negatives
    recall = matrix.true_positives / churners
    label = f"threshold {report.model.decision_threshold:g}"
    false_positive_rate = matrix.false_positives / (report.dataset.item_count - churners)
    diagonal = [(0.0, 0.0), (1.0, 1.0)]
    roc = Chart(
        description=f"ROC curve, area {report.metric('roc_auc').value:.3f}",
        x_label="stayers flagged (false positive rate)",
        y_label="churners flagged (true positive rate)",
        points=_points(
            report, "receiver_operating_characteristic_curve", "false_positive_rates", "true_positive_rates"
        ),
        reference=diagonal,
        fill=True,
        marker=Marker((false_positive_rate, recall), label),
    )
    precision_recall = Chart(
        description=f"Precision-recall curve, area {report.metric('pr_auc').value:.3f}",
        x_label="churners flagged (recall)",
        y_label="churners among the flagged (precision)",
        points=_points(report, "precision_recall_curve", "recalls", "precisions"),
        reference=[(0.0, churn_rate), (1.0, churn_rate)],
        fill=True,
        marker=Marker((recall, matrix.true_positives / flagged), label) if flagged else None,
    )
    gain = Chart(
        description="Cumulative gain curve",
        x_label="customers contacted, highest score first",
        y_label="churners among them",
        points=_points(report, "cumulative_gain_curve", "shares_of_customers", "shares_of_churners"),
        reference=diagonal,
        fill=True,
        marker=Marker((flagged / report.dataset.item_count, recall), label),
    )
    bound = report.metric("lift_at_10_percent").value * 0.1
    return [
        _card("ROC curve", roc, "Dashed: a random score."),
        _card("Precision and recall", precision_recall, f"Dashed: the churn rate, {churn_rate:.1%}."),
        _card(
            "Calibration",
            _calibration_chart(report),
            "Dashed: what is said is what happens. Bars: 95% intervals.",
        ),
        _card(
            "Cumulative gain",
            gain,
            f"The first tenth of customers holds {bound:.1%} of the churners. Dashed: a random order.",
        ),
    ]


def _calibration_chart(report: EvaluationReport) -> Chart:
    curve = report.curves["calibration_curve"]
    predicted = curve["mean_predicted_probabilities"]
    return Chart(
        description="Calibration curve: observed churn rate by predicted probability",
        x_label="predicted churn probability",
        y_label="observed churn rate",
        points=list(zip(predicted, curve["observed_churn_rates"], strict=True)),
        reference=[(0.0, 0.0), (1.0, 1.0)],
        bars=list(zip(predicted, curve["lower_bounds"], curve["upper_bounds"], strict=True)),
        dots=True,
    )


def _card(title: str, chart: Chart, note: str) -> str:
    return f'<section class="card"><h2>{title}</h2>{render_chart(chart)}<p>{escape(note)}</p></section>'


def _metric_table(report: EvaluationReport) -> str:
    rows = []
    for name, estimate in report.metrics.items():
        title, meaning = METRIC_TITLES.get(name, (name, ""))
        rows.append(
            f'<tr><th scope="row">{escape(title)}</th><td class="number">{estimate.value:.4f}</td>'
            f'<td class="number">{estimate.lower:.4f} to {estimate.upper:.4f}</td>'
            f'<td class="number">{estimate.standard_deviation:.4f}</td>'
            f'<td class="meaning"><small>{escape(meaning)}</small></td></tr>'
        )
    return (
        '<section class="card after-grid"><h2>All metrics</h2><div class="scroll"><table><thead><tr>'
        '<th scope="col">metric</th><th scope="col" class="number">value</th>'
        '<th scope="col" class="number">95% interval</th><th scope="col" class="number">std. dev.</th>'
        '<th scope="col" class="meaning">meaning</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _confusion_card(report: EvaluationReport) -> str:
    matrix = report.confusion_matrix
    total = report.dataset.item_count

    def cell(count: int) -> str:
        return f'<td class="number">{count:,}<small>{count / total:.1%}</small></td>'

    return (
        '<section class="card"><h2>Confusion matrix</h2><table class="matrix"><thead><tr><th></th>'
        '<th scope="col" class="number">predicted to stay</th>'
        '<th scope="col" class="number">predicted to churn</th></tr></thead><tbody>'
        f'<tr><th scope="row">stayed</th>{cell(matrix.true_negatives)}{cell(matrix.false_positives)}</tr>'
        f'<tr><th scope="row">churned</th>{cell(matrix.false_negatives)}{cell(matrix.true_positives)}</tr>'
        f"</tbody></table><p>A customer is predicted to churn from a probability of"
        f" {report.model.decision_threshold:g} on.</p></section>"
    )


def _model_card(report: EvaluationReport) -> str:
    model = report.model
    facts = {
        "algorithm": model.algorithm,
        "hyperparameters": ", ".join(f"{name} {value}" for name, value in model.hyperparameters.items()),
        "seed": str(model.seed),
        "versions": ", ".join(f"{name} {value}" for name, value in model.versions.items()),
        "data origin": report.data_origin,
        "content sha256": model.content_sha256,
        "archive sha256": model.archive_sha256 or "evaluated from a directory",
    }
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="wide"><small>{escape(value)}</small></td></tr>'
        for name, value in facts.items()
    )
    return f'<section class="card"><h2>The model</h2><table><tbody>{rows}</tbody></table></section>'


def _describe_bootstrap(report: EvaluationReport) -> str:
    bootstrap = report.bootstrap
    again = f"; {bootstrap.discarded} replicates of one class were drawn again" if bootstrap.discarded else ""
    return (
        f"Intervals: {bootstrap.method}, {bootstrap.replicates:,} replicates, seed {bootstrap.seed}{again}."
        " They tell how the figures would vary with another test set of this size, not with another training."
    )
