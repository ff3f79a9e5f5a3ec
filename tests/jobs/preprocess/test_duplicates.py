"""Repeats are found by customer or by whole row, whatever file they stand in."""

import numpy as np
import pyarrow as pa
import pytest

from sagemaker_jobs.duplicate_rows import find_duplicate_rows
from sagemaker_jobs.row_hashing import hash_strings, number_bits


def _find(ids: list[int | None], features: list[int], labels: list[int]):
    found = find_duplicate_rows(
        np.array(labels, dtype=np.int8),
        np.array([value or 0 for value in ids], dtype=np.uint64),
        np.array([value is not None for value in ids]),
        np.array(features, dtype=np.uint64),
    )
    return {cause: rows.tolist() for cause, rows in found.by_cause.items() if len(rows)}


@pytest.mark.parametrize(
    ("ids", "features", "labels", "expected"),
    [
        ([1, 2, 3], [7, 7, 7], [0, 1, 0], {}),
        ([1, 2, 1], [7, 8, 7], [0, 1, 0], {"duplicate_row": [2]}),
        ([1, 2, 1], [7, 8, 7], [0, 1, 1], {"contradicting_labels": [0, 2]}),
        ([None, None, 5], [7, 7, 7], [0, 0, 0], {"duplicate_row": [1]}),
        ([None, None], [7, 7], [0, 1], {}),
        ([4, 4, 4, 4], [9, 9, 9, 9], [1, 1, 1, 1], {"duplicate_row": [1, 2, 3]}),
    ],
)
def test_find_duplicate_rows_when_rows_repeat_then_names_the_cause(ids, features, labels, expected):
    assert _find(ids, features, labels) == expected


def test_find_duplicate_rows_when_a_customer_has_other_values_then_the_choice_ignores_order():
    forward = _find([1, 1], [7, 8], [0, 0])["duplicate_customer"][0]
    backward = _find([1, 1], [8, 7], [0, 0])["duplicate_customer"][0]

    assert forward == 1 - backward


def test_preprocess_when_source_has_no_id_then_whole_rows_are_compared(real_file, run):
    report = run(real_file("iranian_churn.csv"), "--schema", "iranian").report

    assert report.count("duplicate_row") == 300
    assert (report.rows_in, report.rows_out) == (3150, 2850)


def test_preprocess_when_rows_differ_in_id_only_then_both_stay(ibm, run):
    ibm.rows.append(["9999-AAAAA", *ibm.rows[0][1:]])

    report = run(ibm.to_csv()).report

    assert report.rows_out == 2001


def test_preprocess_when_the_data_are_copied_under_new_ids_then_warns_and_keeps_copies_together(ibm, run):
    ibm.rows += [["X" + row[0], *row[1:]] for row in ibm.rows]

    finished = run(ibm.to_csv())

    assert finished.report.count("shared_features") == 4000
    train, test = ({tuple(list(r.values())[1:]) for r in finished.rows(s)} for s in ("train", "test"))
    assert not train & test


def test_preprocess_when_repeat_stands_in_another_file_then_it_is_found_and_named(ibm, run):
    head = ",".join(ibm.header) + "\n"
    again = "".join(",".join(row) + "\n" for row in ibm.rows[10:20])

    report = run({"a.csv": ibm.to_csv(), "b.csv": head + again}).report

    finding = next(f for f in report.findings if f.cause == "duplicate_row")
    assert finding.count == 10
    assert {(e.file, e.value) for e in finding.examples} >= {("b.csv", "same customer as a.csv, line 12")}


def test_hash_strings_when_lengths_differ_then_equal_texts_and_only_those_agree():
    texts = ["", "a", "a\0", "ab", "abcdefgh", "abcdefgh\0", "abcdefghi", "a", "ž", "abcdefgh"]

    hashes = hash_strings(pa.array(texts))

    assert [texts.index(text) for text in texts] == [
        hashes.tolist().index(value) for value in hashes.tolist()
    ]


def test_hash_strings_when_array_is_a_slice_then_hashes_the_slice():
    whole = pa.array(["x", "long text here", "yy", "long text here"])

    assert hash_strings(whole.slice(1)).tolist() == hash_strings(pa.array(whole.to_pylist()[1:])).tolist()


def test_number_bits_when_zero_is_negative_or_nan_has_a_payload_then_they_are_one():
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]

    bits = number_bits(np.array([0.0, -0.0, np.nan, odd_nan]))

    assert bits[0] == bits[1] != bits[2] == bits[3]
