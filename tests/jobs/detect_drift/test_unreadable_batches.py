"""A batch that cannot be read is a report with verdict `data_break`; a wrong call is one line and no file."""

import gzip

import pytest

from sagemaker_jobs import detect_drift
from sagemaker_jobs.job_entry import InvalidInputError
from tests.jobs.detect_drift.batches import change, to_csv


def headless(rows):
    return to_csv(rows).split("\n", 1)[1]


def ragged(rows):
    lines = to_csv(rows).splitlines()
    return "\n".join([*lines[:200], *(f"{line},more" for line in lines[200:400]), *lines[400:]]) + "\n"


UNREADABLE = {
    "empty folder": (lambda _: {}, "holds no CSV"),
    "empty file": (lambda _: b"", "batch.csv: the file is empty"),
    "HTML": (lambda _: "<!DOCTYPE html><p>Sign in", "batch.csv: this is an HTML or XML page"),
    "no header": (headless, "batch.csv, line 1: the file has no header"),
    "another table": (lambda _: "a,b\n1,2\n", "batch.csv, line 1: no column"),
    "ragged": (ragged, "batch.csv, line 201: 200 rows with another number of fields"),
    "cut gzip": (
        lambda rows: {"batch.csv.gz": gzip.compress(to_csv(rows).encode())[:20_000]},
        "batch.csv.gz: the gzip file is cut off",
    ),
    "cut Parquet": (
        lambda _: {"batch.parquet": b"PAR1 and no more"},
        "batch.parquet: the Parquet file is",
    ),
    "unclosed quote": (
        lambda rows: to_csv(rows).replace("Mailed check", '"Mailed check', 1),
        "a quote is opened and never closed",
    ),
    "the same file twice": (
        lambda rows: {"a.csv": rows, "b.csv": rows},
        "b.csv: holds the same text as a.csv",
    ),
    "a workbook": (lambda _: {"batch.xlsx": b"PK\x03\x04"}, "batch.xlsx: cannot read this kind of file"),
}


@pytest.mark.parametrize(("damage", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_batch_when_it_cannot_be_read_then_is_a_data_break_that_says_why(halves, run, damage, expected):
    done = run(damage(halves.second), halves.reference)

    assert done.report["verdict"] == "data_break"
    assert done.report["sentence"].startswith("Data break, do not retrain on this batch: ")
    assert expected in done.report["sentence"]
    assert "\n" not in done.report["sentence"]
    assert {feature["verdict"] for feature in done.report["features"]} == {"insufficient_data"}
    assert done.report["alert"]["status"] == "data_break"
    assert sorted(path.name for path in done.directory.iterdir()) == [
        "drift_report.html",
        "drift_report.json",
        "monitor_state.json",
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_batch_when_it_has_hardly_a_row_then_is_insufficient_and_says_how_many_are_needed(halves, run, count):
    lines = to_csv(halves.second).splitlines(keepends=True)
    report = run("".join(lines[: count + 1]), halves.reference).report

    assert report["verdict"] == "insufficient_data"
    assert report["rows"]["current"] == count
    assert report["rows"]["needed"] >= 30
    assert report["alert"]["status"] == "quiet"


def test_batch_when_a_few_rows_are_ragged_then_they_are_left_out_and_told(halves, run):
    lines = to_csv(halves.second).splitlines()
    report = run("\n".join([*lines[:5], lines[5] + ",more", *lines[6:]]) + "\n", halves.reference).report

    assert report["verdict"] == "no_drift"
    assert report["rows"]["current"] == len(halves.second) - 1
    assert "1 rows with another number of fields (21 fields expected)" in report["notes"]


def test_batch_when_it_comes_in_several_files_then_all_are_read(halves, run):
    rows = halves.second
    whole = run(rows, halves.reference).report
    parts = run({"a.csv": rows[:1000], "b.csv": rows[1000:]}, halves.reference).report

    assert parts["features"] == whole["features"]
    assert parts["batch"]["files"] == 2


REFUSED = {
    "no such batch": (("--current", "nowhere"), "--current nowhere: no such file or folder"),
    "no such reference": (("--reference", "nowhere"), "--reference nowhere: no such file or folder"),
    "unknown schema": (("--schema", "telco2"), "unknown schema 'telco2'"),
    "another schema": (("--schema", "iranian"), "its features are not those of schema iranian"),
    "a date of no calendar": (("--batch-date", "2026-02-30"), "--batch-date: expected a date like"),
    "unknown rule": (("--rule", '{"alhpa": 0.1}'), "unknown drift rule setting alhpa"),
    "rule out of range": (("--rule", '{"alpha": 2}'), "alpha is 2; it must lie between 0 and 1"),
    "rule that is no JSON": (("--rule", "alpha=1"), "--rule: not JSON"),
    "no model": (("--model", "model.tar.gz"), "nothing tells this model's sha256"),
    "no evaluation": (("--evaluation", "nowhere.json"), "--evaluation nowhere.json: cannot be read"),
    "no labels": (("--labels", "nowhere", "--evaluation", "-"), "cannot be read as evaluation.json"),
    "labels' date alone": (("--labelled-date", "2026-10-01"), "need --labels"),
    "no predictions": (("--predictions", "nowhere"), "--predictions nowhere: no such file"),
}


@pytest.mark.parametrize(("arguments", "expected"), REFUSED.values(), ids=REFUSED)
def test_call_when_it_is_wrong_then_is_refused_in_one_line_and_leaves_no_file(
    halves, tmp_path, arguments, expected
):
    (tmp_path / "batch.csv").write_text(to_csv(halves.second))
    given = {"--reference": halves.reference, "--current": tmp_path / "batch.csv"}
    given |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    flat = [str(part) for pair in given.items() for part in pair]

    with pytest.raises(InvalidInputError) as refused:
        detect_drift.main([*flat, "--output-dir", str(tmp_path / "out")])
    assert expected in str(refused.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_reference_when_it_is_damaged_then_is_refused(halves, run, tmp_path):
    content = (halves.reference / "reference.profile").read_bytes()
    (tmp_path / "reference.profile").write_bytes(content[: len(content) // 2])

    with pytest.raises(InvalidInputError, match=r"reference\.profile: cannot be read as a drift profile"):
        run(halves.second, tmp_path)


def test_reference_when_its_raw_files_lack_a_column_then_is_refused(halves, run, tmp_path):
    rows = [{k: v for k, v in row.items() if k != "tenure"} for row in halves.first]
    (tmp_path / "raw.csv").write_text(to_csv(rows))

    with pytest.raises(InvalidInputError, match="no column tenure_months; a reference needs all"):
        run(change(halves.second, "tenure", lambda row: row["tenure"]), tmp_path / "raw.csv")
