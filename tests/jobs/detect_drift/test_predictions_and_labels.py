"""What the model says and how right it is: scores of the batch, and labels that came later."""

import json

import numpy as np
import pytest

from sagemaker_jobs.job_entry import InvalidInputError
from tests.jobs.detect_drift.batches import change, draw_rows, to_csv


@pytest.fixture(scope="module")
def rows():
    return draw_rows(1500, seed=11)


def scores_csv(rows, score):
    lines = [f"{row['customer_id']},{score(row)}" for row in rows]
    return "\n".join(["customer_id,score", *lines]) + "\n"


def measure(report, name):
    return next(entry for entry in report["performance"]["measures"] if entry["name"] == name)


def test_predictions_when_customers_are_alike_then_are_quiet_and_written(approved, run, rows):
    done = run(rows, approved.reference, *approved.arguments)

    assert done.report["verdict"] == "no_drift", done.report["sentence"]
    predictions = done.report["predictions"]
    assert (predictions["verdict"], predictions["rows"], predictions["unscored"]) == ("no_drift", 1500, 0)
    assert [entry["customer_id"] for entry in done.predictions] == [row["customer_id"] for row in rows]
    scores = np.array([float(entry["score"]) for entry in done.predictions])
    assert (scores >= 0.5).mean() == pytest.approx(predictions["current_rate"])
    assert done.report["model"] == {"version": "telecom-churn/3", "data_origin": "synthetic"}


def test_alpha_when_features_and_scores_lead_to_one_verdict_then_is_spent_once(approved, run, rows):
    scored = run(rows, approved.reference, *approved.arguments).report
    unscored = run(rows, approved.reference).report

    by_name = {feature["name"]: feature["adjusted_p_value"] for feature in unscored["features"]}
    stricter = {feature["name"]: feature["adjusted_p_value"] for feature in scored["features"]}
    assert stricter == {name: pytest.approx(min(1.0, value / 0.8)) for name, value in by_name.items()}
    assert scored["rule"]["scores_share"] == 0.2


def test_alpha_when_labels_have_come_too_then_performance_has_a_part_of_it(approved, run, rows, tmp_path):
    (tmp_path / "labels.csv").write_text(outcomes(rows))
    unscored = run(rows, approved.reference).report
    labelled = run(rows, approved.reference, *approved.arguments, "--labels", tmp_path / "labels.csv").report

    for before, feature in zip(unscored["features"], labelled["features"], strict=True):
        assert feature["adjusted_p_value"] == pytest.approx(min(1.0, before["adjusted_p_value"] / 0.7))
    for entry in labelled["performance"]["measures"]:
        assert entry["adjusted_p_value"] == pytest.approx(min(1.0, entry["p_value"] * 3 / 0.1))
        assert (entry["adjusted_p_value"] <= 0.05) or entry["verdict"] == "no_drift"


def test_predictions_when_the_job_scores_then_are_those_of_the_model(approved, run, rows, train_model):
    import pandas as pd

    from sagemaker_jobs.churn_predictor import ChurnPredictor

    done = run(rows[:50], approved.reference, *approved.arguments)
    predictor = ChurnPredictor.from_directory(train_model("logistic_regression").model_dir)
    expected = predictor.predict_probabilities(pd.DataFrame(rows[:50]))

    assert [float(entry["score"]) for entry in done.predictions] == expected.tolist()


def test_row_when_no_model_can_score_it_then_has_no_score_and_is_counted(approved, run, rows):
    odd = [dict(row) for row in rows]
    odd[3]["monthly_charges"], odd[4]["tenure_months"] = "see note", "inf"
    odd[5]["contract_type"], odd[6]["monthly_charges"] = "Weekly", ""  # encoded as unknown and as missing
    done = run(odd, approved.reference, *approved.arguments)

    assert [at for at, entry in enumerate(done.predictions) if not entry["score"]] == [3, 4]
    assert done.report["predictions"]["unscored"] == 2
    assert "2 of 1,500 rows have no score" in done.report["notes"]


def test_batch_when_a_feature_is_gone_then_nothing_is_scored_and_the_report_says_so(approved, run, rows):
    less = [{name: cell for name, cell in row.items() if name != "contract_type"} for row in rows]
    done = run(less, approved.reference, *approved.arguments)

    assert done.report["verdict"] == "data_break"
    assert done.report["predictions"] is None
    assert not (done.directory / "predictions.csv").exists()
    assert "no row could be scored: column contract_type is not in the batch" in done.report["notes"]


def test_predictions_when_all_are_churn_then_are_flagged(approved, run, rows, tmp_path):
    (tmp_path / "scores.csv").write_text(scores_csv(rows, lambda _: 0.97))
    arguments = ("--reference-scores", approved.evaluation, "--predictions", tmp_path / "scores.csv")
    report = run(rows, approved.reference, *arguments).report

    assert report["verdict"] == report["predictions"]["verdict"] == "drift"
    assert report["drifted_features"] == []
    assert "predicted churn rate" in report["sentence"]
    assert (report["alert"]["status"], report["alert"]["transition"]) == ("drift", "new")


def test_predictions_when_they_moved_then_the_alert_names_the_model_score(approved, run, rows, tmp_path):
    generator = np.random.default_rng(3)
    (tmp_path / "scores.csv").write_text(scores_csv(rows, lambda _: f"{generator.beta(5, 2):.6f}"))
    arguments = ("--reference-scores", approved.evaluation, "--predictions", tmp_path / "scores.csv")
    report = run(rows, approved.reference, *arguments).report

    assert report["verdict"] == report["predictions"]["verdict"] == "drift"
    assert report["alert"]["columns"] == ["model score"]
    assert report["history"][-1]["predicted_churn_rate"] == report["predictions"]["current_rate"]


def test_reference_scores_when_they_are_a_table_then_are_profiled(approved, run, rows, tmp_path):
    (tmp_path / "before.csv").write_text(scores_csv(rows, lambda row: len(row["contract_type"]) / 20))
    (tmp_path / "now.csv").write_text(scores_csv(rows, lambda row: len(row["contract_type"]) / 20))
    arguments = ("--reference-scores", tmp_path / "before.csv", "--predictions", tmp_path / "now.csv")

    assert run(rows, approved.reference, *arguments).report["predictions"]["verdict"] == "no_drift"


def test_model_when_it_was_changed_then_is_not_loaded(approved, run, rows):
    with pytest.raises(InvalidInputError, match="was changed after training, so it is not loaded"):
        run(rows, approved.reference, "--model", approved.archive, "--model-sha256", "0" * 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("customer_id,probability\na,1\n", "line 1: no column 'score'"),
        ("customer_id,score\na,1.5\n", "score 1.5 lies outside 0 to 1"),
        ("customer_id,score\na,high\n", "a score is not a number"),
        ("customer_id,score\na,0.5,1\n", "another number of fields"),
    ],
)
def test_scores_when_they_are_none_then_are_refused(approved, run, rows, tmp_path, text, expected):
    (tmp_path / "scores.csv").write_text(text)

    with pytest.raises(InvalidInputError, match=expected):
        run(rows, approved.reference, "--predictions", tmp_path / "scores.csv")


@pytest.fixture
def labelled_run(approved, run, rows, tmp_path):
    """Yesterday's batch scored; then today's with labels of yesterday's customers."""
    scored = run(rows, approved.reference, *approved.arguments, date="2026-10-01")

    def judge(labels, *arguments):
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / "labels.csv").write_text(labels)
        return run(
            *(draw_rows(1000, 12, first_id=5000), approved.reference, *approved.arguments),
            *("--labels", tmp_path / "labels", "--labelled-date", "2026-10-01"),
            *("--past-predictions", scored.directory / "predictions.csv", *arguments),
        )

    return judge


def outcomes(rows, label=lambda row: row["churn"]):
    lines = [f"{row['customer_id']},{label(row)}" for row in rows]
    return "\n".join(["Customer ID,Churn Label", *lines]) + "\n"


def test_performance_when_the_model_is_as_good_as_registered_then_is_quiet(labelled_run, rows):
    report = labelled_run(outcomes(rows)).report

    performance = report["performance"]
    assert performance["verdict"] == "no_drift", performance["sentence"]
    assert (performance["labelled_date"], performance["labels"], performance["matched"]) == (
        "2026-10-01",
        1500,
        1500,
    )
    assert report["history"][-1]["accuracy"] == measure(report, "accuracy")["value"]


def test_performance_when_accuracy_fell_then_is_flagged_and_alerted(labelled_run, rows):
    turned = {"Yes": "No", "No": "Yes"}
    generator = np.random.default_rng(1)
    worse = outcomes(rows, lambda row: turned[row["churn"]] if generator.random() < 0.3 else row["churn"])
    report = labelled_run(worse).report

    assert report["verdict"] == report["performance"]["verdict"] == "drift"
    assert measure(report, "accuracy")["registered"] - measure(report, "accuracy")["value"] > 0.05
    assert "accuracy" in report["sentence"]
    alert = report["alert"]
    assert (alert["columns"], alert["since"]) == (["model performance"], "2026-10-01")
    assert alert["changes"][0]["column"] == "model performance"


def test_labels_when_they_are_untidy_then_each_fault_is_counted(labelled_run, rows):
    lines = outcomes(rows).splitlines()
    first, second = (row["customer_id"] for row in rows[:2])
    other = "No" if rows[1]["churn"] == "Yes" else "Yes"
    lines += [lines[1], f"{second},{other}", "C999999,Yes", ",Yes", "C000005,", "C000006,perhaps"]
    performance = labelled_run("\n".join(lines) + "\n").report["performance"]

    assert first
    assert performance["labels"] == 1506
    assert (performance["duplicate_labels"], performance["contradicting_labels"]) == (1, 2)
    assert (performance["unmatched"], performance["without_id"], performance["without_label"]) == (1, 1, 2)
    assert performance["matched"] == 1499


def test_labels_when_they_cannot_be_read_then_is_a_data_break_of_the_labels(labelled_run):
    report = labelled_run("<html>Sign in</html>").report

    assert report["verdict"] == report["performance"]["verdict"] == report["alert"]["status"] == "data_break"
    assert "The labels cannot be read: labels.csv: this is an HTML or XML page" in report["sentence"]
    assert {feature["verdict"] for feature in report["features"]} == {"no_drift"}


def test_labels_when_there_are_too_few_then_the_day_is_judged_all_the_same(labelled_run, rows):
    report = labelled_run(outcomes(rows[:40])).report

    assert report["performance"]["verdict"] == "insufficient_data"
    assert report["verdict"] == "no_drift"


def test_labels_when_there_is_no_past_batch_then_are_those_of_this_one(approved, run, rows, tmp_path):
    (tmp_path / "labels.csv").write_text(outcomes(rows))
    report = run(rows, approved.reference, *approved.arguments, "--labels", tmp_path / "labels.csv").report

    assert report["performance"]["matched"] == 1500


def test_labels_when_the_scores_of_their_day_are_lost_then_are_not_held_against_todays(
    approved, run, rows, tmp_path
):
    (tmp_path / "labels.csv").write_text(outcomes(rows))
    arguments = ("--labels", tmp_path / "labels.csv", "--labelled-date", "2026-10-01")
    report = run(rows, approved.reference, *approved.arguments, *arguments).report

    assert report["performance"] is None
    assert "labels were not used: no scores of their batch were given" in report["notes"]


def test_domain_classifier_when_wanted_then_tells_changed_customers_from_the_same(approved, run, rows):
    rule = ("--rule", json.dumps({"domain_classifier": True}))
    same = run(rows, approved.reference, *rule).report
    moved = run(
        change(rows, "monthly_charges", lambda row: f"{float(row['monthly_charges']) * 1.3:.2f}"),
        approved.reference,
        *rule,
    ).report

    assert same["domain_classifier"]["verdict"] == "no_drift"
    assert moved["domain_classifier"]["verdict"] == "drift"
    assert moved["domain_classifier"]["roc_auc"] > moved["domain_classifier"]["floor"]


def test_domain_classifier_when_only_it_sees_a_change_then_it_makes_the_verdict_within_alpha(run, tmp_path):
    # No column changes and no correlation: charges come to follow the distance from a middling tenure.
    generator = np.random.default_rng(2)

    def draw(seed, *, follows):
        drawn = draw_rows(2000, seed)
        tenures = generator.permutation(np.arange(2000) % 73)
        places = np.abs(tenures - 36) / 36 if follows else np.abs(generator.permutation(tenures) - 36) / 36
        for row, tenure, place in zip(drawn, tenures, places, strict=True):
            row["tenure_months"], row["monthly_charges"] = str(tenure), f"{30 + 60 * place:.2f}"
        return drawn

    (tmp_path / "before.csv").write_text(to_csv(draw(17, follows=False)))
    batch, rule = draw(18, follows=True), ("--rule", json.dumps({"domain_classifier": True}))
    without = run(batch, tmp_path / "before.csv").report
    report = run(batch, tmp_path / "before.csv", *rule).report

    assert without["verdict"] == "no_drift", without["sentence"]
    assert (report["verdict"], report["domain_classifier"]["verdict"]) == ("drift", "drift")
    assert report["history"][-1]["verdict"] == "drift"
    assert "Columns taken together drifted" in report["sentence"]
    classifier = report["domain_classifier"]
    assert classifier["adjusted_p_value"] == pytest.approx(min(1.0, classifier["p_value"] / 0.1))
    for other, feature in zip(without["features"], report["features"], strict=True):
        assert feature["adjusted_p_value"] == pytest.approx(min(1.0, other["adjusted_p_value"] / 0.9))


def test_domain_classifier_when_there_is_only_a_profile_then_says_why_not(halves, run, tmp_path):
    (tmp_path / "alone.profile").write_bytes((halves.reference / "reference.profile").read_bytes())
    report = run(
        to_csv(halves.second), tmp_path / "alone.profile", "--rule", '{"domain_classifier": true}'
    ).report

    assert report["domain_classifier"] is None
    assert any(note.startswith("no domain classifier: a stored profile") for note in report["notes"])
