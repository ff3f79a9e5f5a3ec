import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.data_contracts.gate_decision import GateDecision
from include.data_contracts.mapping_reader import ContractError
from include.model_quality_gate.decision import decide, rules_for
from include.model_quality_gate.gate_rules import GateRules, Safeguards
from include.settings.retraining_parameters import RetrainingParameters
from tests.unit.model_quality_gate import evaluations
from tests.unit.model_quality_gate.evaluations import IBM_BOOSTING, IBM_LOGISTIC, ibm, make_report

ACCURACY = GateRules("accuracy", 0.80)
PROPERTY = settings(derandomize=True, deadline=None, max_examples=200, database=None)


def broken_rules(decision):
    return [rule.name for rule in decision.rules if not rule.passed]


@pytest.mark.parametrize("report", [IBM_LOGISTIC, IBM_BOOSTING, evaluations.IBM_CATBOOST])
def test_gate_when_an_honest_model_reaches_the_accuracy_then_opens(report):
    decision = decide(report, ACCURACY)
    assert decision.passed
    assert decision.reasons == ()
    assert decision.sentence.startswith("Gate open: accuracy is 0.80")
    assert "all 6 safeguards hold" in decision.sentence


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        # Honest, but below what was asked: only that is said.
        (evaluations.IBM_KERAS, ["accuracy_threshold"]),
        (evaluations.IBM_BALANCED_FOREST, ["accuracy_threshold", "beats_majority_class", "calibrated"]),
        (
            evaluations.IBM_MAJORITY,
            ["accuracy_threshold", "beats_majority_class", "ranks_surely", "finds_churners", "calibrated",
             "useful_top_decile"],
        ),
        # These reach an accuracy of 0.80 without knowing anything.
        (
            evaluations.MLC_MAJORITY,
            ["beats_majority_class", "ranks_surely", "finds_churners", "calibrated", "useful_top_decile"],
        ),
        (
            evaluations.IRANIAN_MAJORITY,
            ["beats_majority_class", "ranks_surely", "finds_churners", "calibrated", "useful_top_decile"],
        ),
        # Too good to be true.
        (evaluations.IBM_LEAKED_COLUMN, ["no_suspected_leak"]),
        (evaluations.IBM_REPEATED_ROWS, ["no_suspected_leak"]),
    ],
)  # fmt: skip
def test_gate_when_a_model_is_not_good_then_closes_and_names_every_reason(report, expected):
    decision = decide(report, ACCURACY)
    assert not decision.passed
    assert broken_rules(decision) == expected
    assert decision.reasons == tuple(rule.sentence for rule in decision.rules if not rule.passed)
    assert all(reason in decision.sentence for reason in decision.reasons)


def test_gate_when_the_threshold_is_095_then_the_sentence_tells_value_and_threshold():
    decision = decide(IBM_BOOSTING, GateRules("accuracy", 0.95))
    assert decision.sentence == (
        "Gate closed, the model is not registered: accuracy is 0.8020 (95 % interval 0.7820 to 0.8220), "
        "asked: at least 0.95."
    )


def test_gate_when_roc_auc_is_asked_for_then_accuracy_has_no_threshold():
    report = ibm(accuracy=0.79, roc_auc=0.845, pr_auc=0.656, brier_score=0.136, lift_at_10_percent=2.84)
    assert decide(report, GateRules("roc_auc", 0.80)).passed
    assert broken_rules(decide(report, GateRules("roc_auc", 0.90))) == ["roc_auc_threshold"]
    assert not decide(report, ACCURACY).passed


def test_gate_when_leak_is_suspected_then_asks_a_person_to_look():
    (reason,) = decide(evaluations.IBM_LEAKED_COLUMN, ACCURACY).reasons
    assert "a person should look for a leaked column" in reason
    assert "gate_safeguards off" in reason
    assert "0.985" in reason


def test_gate_when_safeguards_are_off_then_only_the_asked_rule_decides():
    decision = decide(evaluations.MLC_MAJORITY, GateRules("accuracy", 0.80, safeguards=None))
    assert decision.passed
    assert [rule.name for rule in decision.rules] == ["accuracy_threshold"]
    assert "safeguards were switched off" in decision.sentence


def test_gate_when_data_is_synthetic_then_says_that_the_model_is_never_approvable():
    for report in (IBM_BOOSTING, evaluations.IBM_MAJORITY):
        decision = decide(replace(report, data_origin="synthetic"), ACCURACY)
        assert decision.data_origin == "synthetic"
        assert "can never be approved" in decision.sentence


@pytest.mark.parametrize(
    ("metric", "at", "below"),
    [
        ("accuracy", 0.80, 0.7999999),
        ("roc_auc", 0.80, 0.7999999),
    ],
)
def test_gate_when_the_value_is_exactly_the_threshold_then_passes(metric, at, below):
    rules = GateRules(metric, 0.80, safeguards=None)
    assert decide(ibm(**{metric: at}), rules).passed
    assert not decide(ibm(**{metric: below}), rules).passed


def test_gate_when_value_and_threshold_nearly_meet_then_the_sentence_shows_the_difference():
    (reason,) = decide(ibm(accuracy=0.7999999), GateRules("accuracy", 0.80, safeguards=None)).reasons
    assert "accuracy is 0.7999999 " in reason


# One safeguard each, just reached and just missed; the rest of the report is an honest IBM model's.
HONEST = {
    "accuracy": 0.81, "roc_auc": 0.85, "pr_auc": 0.66, "brier_score": 0.135, "lift_at_10_percent": 2.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "churn_rate", "at", "beyond"),
    [
        ("beats_majority_class", 0.2, {"accuracy": 0.83}, {"accuracy": 0.8299}),
        ("ranks_surely", 0.25, {"roc_auc": 0.802}, {"roc_auc": 0.8019}),
        ("finds_churners", 0.25, {"pr_auc": 0.55}, {"pr_auc": 0.5499}),
        ("calibrated", 0.25, {"brier_score": 0.15}, {"brier_score": 0.1501}),
        ("useful_top_decile", 0.25, {"lift_at_10_percent": 2.0}, {"lift_at_10_percent": 1.999}),
        # With half of all churning, no lift above 2 is possible: 0.8 of it is asked for.
        ("useful_top_decile", 0.5, {"lift_at_10_percent": 1.6}, {"lift_at_10_percent": 1.599}),
        ("no_suspected_leak", 0.25, {"roc_auc": 0.985}, {"roc_auc": 0.9851}),
    ],
)
def test_safeguard_when_just_reached_then_holds_and_when_just_missed_then_breaks(
    rule, churn_rate, at, beyond
):
    reached = decide(make_report(churn_rate=churn_rate, rows=2000, **{**HONEST, **at}), ACCURACY)
    missed = decide(make_report(churn_rate=churn_rate, rows=2000, **{**HONEST, **beyond}), ACCURACY)
    assert reached.rule(rule).passed
    assert not missed.rule(rule).passed


@pytest.mark.parametrize("churn_rate", [0.0, 1.0])
def test_gate_when_the_test_set_has_one_class_then_closes_without_dividing_by_zero(churn_rate):
    report = make_report(churn_rate=churn_rate, rows=500, accuracy=1.0, roc_auc=0.5)
    for safeguards in (Safeguards(), None):
        decision = decide(report, GateRules("accuracy", 0.80, safeguards))
        assert broken_rules(decision) == ["both_classes"]
        assert "one class only" in decision.sentence


def test_rules_for_when_parameters_ask_for_accuracy_then_take_its_threshold():
    parameters = RetrainingParameters.from_conf({}, {"accuracy_threshold": 0.7, "roc_auc_threshold": 0.9})
    assert rules_for(parameters) == GateRules("accuracy", 0.7, Safeguards())


def test_rules_for_when_parameters_ask_for_roc_auc_without_safeguards_then_take_that():
    conf = {"gate_metric": "roc_auc", "roc_auc_threshold": 0.9, "gate_safeguards": False}
    assert rules_for(RetrainingParameters.from_conf({}, conf)) == GateRules("roc_auc", 0.9, None)


def test_rules_when_the_metric_is_unknown_then_are_refused():
    with pytest.raises(ValueError, match="f1"):
        GateRules("f1", 0.8)


def test_decision_when_written_and_read_then_is_equal():
    for report in (IBM_BOOSTING, evaluations.IBM_MAJORITY):
        decision = decide(report, ACCURACY)
        assert GateDecision.from_mapping(json.loads(decision.to_json())) == decision


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"version": 2}, "contract"),
        ({"passed": False}, "does not follow from the rules"),
        ({"passed": None}, "passed"),
        ({"rules": []}, "does not follow"),
        ({"sentence": 1}, "sentence"),
        ({"rules": [{"name": "x"}]}, "comparison"),
    ],
)
def test_decision_when_its_mapping_is_wrong_then_the_error_names_the_key(changes, named):
    mapping = json.loads(decide(IBM_BOOSTING, ACCURACY).to_json())
    with pytest.raises(ContractError, match=named):
        GateDecision.from_mapping({**mapping, **changes})


@PROPERTY
@given(
    churn_rate=st.floats(0, 1),
    rows=st.integers(1, 10**7),
    metrics=st.fixed_dictionaries({name: st.floats(0, 1) for name in HONEST}),
    threshold=st.floats(0, 1),
    metric=st.sampled_from(["accuracy", "roc_auc"]),
)
def test_gate_when_given_any_report_then_its_verdict_follows_from_its_rules(
    churn_rate, rows, metrics, threshold, metric
):
    decision = decide(make_report(churn_rate=churn_rate, rows=rows, **metrics), GateRules(metric, threshold))
    assert decision.passed == all(rule.passed for rule in decision.rules)
    assert decision.rule(f"{metric}_threshold").passed == (metrics[metric] >= threshold - 1e-12)
    assert "\n" not in decision.sentence
    assert GateDecision.from_mapping(json.loads(decision.to_json())) == decision
