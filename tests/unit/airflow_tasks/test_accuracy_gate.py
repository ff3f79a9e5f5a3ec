import json
from dataclasses import replace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.accuracy_gate import decide_gate
from include.data_contracts.gate_decision import GateDecision
from tests.unit.airflow_tasks.plans import make_plan, make_result
from tests.unit.airflow_tasks.reports import make_report

FOLDER = make_result("evaluate").output("evaluation")


def decide(s3_hook, evaluation=None, **conf):
    return decide_gate(
        make_plan(**conf).to_mapping(), (evaluation or make_result("evaluate")).to_mapping(), s3=s3_hook
    )


def put_report(s3_hook, report):
    s3_hook.load_string(report.to_json(), f"{FOLDER}/evaluation.json", replace=True)


@pytest.mark.parametrize(("threshold", "passed"), [(0.80, True), (0.8034, True), (0.81, False)])
def test_gate_when_decided_then_the_asked_threshold_counts_and_passes_itself(s3_hook, threshold, passed):
    put_report(s3_hook, make_report(0.8034))
    assert decide(s3_hook, accuracy_threshold=threshold).passed is passed


def test_gate_when_decided_then_the_same_decision_lies_beside_the_evaluation(s3_hook):
    put_report(s3_hook, make_report())
    decision = decide(s3_hook)
    stored = json.loads(s3_hook.read_key(f"{FOLDER}/gate_decision.json"))
    assert GateDecision.from_mapping(stored) == decision


def test_gate_when_closed_then_its_sentence_holds_value_and_threshold(s3_hook, caplog):
    put_report(s3_hook, make_report(0.79))
    caplog.set_level("INFO")
    decision = decide(s3_hook, accuracy_threshold=0.95)
    assert "0.79" in decision.sentence
    assert "0.95" in decision.sentence
    assert "NOT MET: accuracy is 0.79" in caplog.text


def test_gate_when_decided_again_then_the_stored_decision_is_the_new_one(s3_hook):
    put_report(s3_hook, make_report(0.70))
    decide(s3_hook)
    put_report(s3_hook, make_report(0.82))
    decide(s3_hook)
    assert json.loads(s3_hook.read_key(f"{FOLDER}/gate_decision.json"))["passed"] is True


def test_gate_when_there_is_no_evaluation_then_one_line_names_file_and_job(s3_hook):
    with pytest.raises(AirflowFailException) as failed:
        decide(s3_hook)
    assert str(failed.value) == (
        f"the evaluation report is missing: {FOLDER}/evaluation.json; "
        "read the log of the job churn-evaluate-g0-a0"
    )


def test_gate_when_the_evaluation_is_of_another_kind_then_one_line_names_file_and_key(s3_hook):
    s3_hook.load_string('{"contract": "drift_report"}', f"{FOLDER}/evaluation.json")
    with pytest.raises(AirflowFailException, match=f"{FOLDER}/evaluation.json is not usable: .*contract"):
        decide(s3_hook)


def test_gate_when_the_job_has_no_evaluation_output_then_one_line_says_what_it_has(s3_hook):
    other = replace(make_result("evaluate"), outputs={"plots": "s3://churn-artifacts/plots"})
    with pytest.raises(AirflowFailException, match="no output named 'evaluation', only plots"):
        decide(s3_hook, other)
