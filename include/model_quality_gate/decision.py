"""Decide whether a candidate may be registered: report and rules give a decision with its reasons."""

from include.data_contracts.evaluation_report import EvaluationReport, MetricEstimate
from include.data_contracts.gate_decision import GateDecision, RuleResult
from include.model_quality_gate.gate_rules import GateRules, Safeguards, rules_for

__all__ = ["decide", "rules_for"]

_TITLES = {"accuracy": "accuracy", "roc_auc": "ROC-AUC"}
# "The threshold itself passes" must survive 0.735 + 0.03 in binary floating point.
_ROUNDING = 1e-12


def decide(report: EvaluationReport, rules: GateRules) -> GateDecision:
    """Apply every rule (none is skipped because another failed) and say the verdict in a sentence."""
    results = [_asked_rule(report, rules)]
    if not 0 < report.dataset.positive_count < report.dataset.item_count:
        results.append(_both_classes_rule(report))
    elif rules.safeguards is not None:
        results += _safeguard_rules(report, rules.safeguards)
    reasons = tuple(result.sentence for result in results if not result.passed)
    return GateDecision(
        passed=not reasons,
        rules=tuple(results),
        reasons=reasons,
        sentence=_verdict(results, reasons, is_synthetic=report.data_origin == "synthetic"),
        data_origin=report.data_origin,
    )


def _asked_rule(report: EvaluationReport, rules: GateRules) -> RuleResult:
    estimate = report.metric(rules.metric)
    return _floor(
        f"{rules.metric}_threshold",
        rules.metric,
        estimate.value,
        rules.threshold,
        f"{_TITLES[rules.metric]} is {{value}}{_interval(estimate)}, asked: at least {{threshold}}",
    )


def _both_classes_rule(report: EvaluationReport) -> RuleResult:
    """Close the gate on a test set without churners, or of churners only: nothing else can be judged."""
    smaller = min(report.dataset.positive_count, report.dataset.item_count - report.dataset.positive_count)
    return _floor(
        "both_classes",
        "rows_of_the_smaller_class",
        smaller,
        1,
        "the test set holds one class only, so ranking and calibration cannot be judged: {value} rows of"
        " the other class, needed: at least {threshold}",
    )


def _safeguard_rules(report: EvaluationReport, safeguards: Safeguards) -> list[RuleResult]:
    churn_rate = report.dataset.churn_rate
    auc = report.metric("roc_auc")
    majority = report.metric("accuracy_best_constant_classifier").value
    lift_floor = min(safeguards.lift_at_10_percent, safeguards.lift_share_of_possible / churn_rate)
    return [
        _floor(
            "beats_majority_class",
            "accuracy",
            report.metric("accuracy").value,
            majority + safeguards.accuracy_above_majority,
            f"accuracy is {{value}}; always answering with the larger class gives {majority:.4f}, and a"
            f" useful model must be {safeguards.accuracy_above_majority:g} better: at least {{threshold}}",
        ),
        _floor(
            "ranks_surely",
            "roc_auc_lower_bound",
            auc.lower,
            safeguards.roc_auc_lower_bound,
            "the lower end of ROC-AUC's 95 % interval is {value}, needed: at least {threshold}",
        ),
        _floor(
            "finds_churners",
            "normalised_average_precision",
            (report.metric("pr_auc").value - churn_rate) / (1 - churn_rate),
            safeguards.normalised_average_precision,
            "average precision, from 0 (as good as chance) to 1, is {value}, needed: at least {threshold}",
        ),
        _floor(
            "calibrated",
            "brier_skill",
            1 - report.metric("brier_score").value / (churn_rate * (1 - churn_rate)),
            safeguards.brier_skill,
            "the Brier skill (probabilities against the bare churn rate) is {value}, needed: at least"
            " {threshold}",
        ),
        _floor(
            "useful_top_decile",
            "lift_at_10_percent",
            report.metric("lift_at_10_percent").value,
            lift_floor,
            "the tenth of customers ranked highest churns {value} times as often as the average, needed:"
            " at least {threshold} times",
        ),
        _ceiling(
            "no_suspected_leak",
            "roc_auc",
            auc.value,
            safeguards.roc_auc_suspicious,
            "ROC-AUC is {value}, at most {threshold} is plausible for churn",
            "ROC-AUC is {value}, above {threshold}: either these data are unusually easy or a column gives"
            " the label away; a person should look for a leaked column, and run again with gate_safeguards"
            " off when there is none",
        ),
    ]


def _floor(name: str, metric: str, value: float, threshold: float, sentence: str) -> RuleResult:
    passed = value >= threshold - _ROUNDING
    return RuleResult(
        name, metric, float(value), ">=", float(threshold), passed, _say(sentence, value, threshold)
    )


def _ceiling(
    name: str, metric: str, value: float, threshold: float, sentence: str, broken: str
) -> RuleResult:
    passed = value <= threshold + _ROUNDING
    text = _say(sentence if passed else broken, value, threshold)
    return RuleResult(name, metric, float(value), "<=", float(threshold), passed, text)


def _say(sentence: str, value: float, threshold: float) -> str:
    """Fill in both numbers with enough digits to tell them apart."""
    digits = next((n for n in range(4, 13) if round(value, n) != round(threshold, n)), 4)
    shown = f"{value:.{digits}f}" if value != int(value) else f"{value:g}"
    return sentence.format(value=shown, threshold=f"{round(threshold, digits):g}")


def _interval(estimate: MetricEstimate) -> str:
    return f" (95 % interval {estimate.lower:.4f} to {estimate.upper:.4f})"


def _verdict(results: list[RuleResult], reasons: tuple[str, ...], *, is_synthetic: bool) -> str:
    note = " The data are synthetic, so the model can never be approved." if is_synthetic else ""
    if reasons:
        return f"Gate closed, the model is not registered: {'; '.join(reasons)}.{note}"
    others = len(results) - 1
    safeguards = f", and all {others} safeguards hold" if others else "; the safeguards were switched off"
    return f"Gate open: {results[0].sentence}{safeguards}.{note}"
