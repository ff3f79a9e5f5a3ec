"""The data quality report accounts for every row and survives a round trip."""

import copy
import json

import pytest

from include.data_contracts.data_quality_report import (
    ColumnSummary,
    DataQualityReport,
    Example,
    FileRead,
    Finding,
    SplitSummary,
)
from include.data_contracts.mapping_reader import ContractError


def _report(**changes: object) -> DataQualityReport:
    values = {
        "schema_name": "ibm_telco",
        "schema_fingerprint": "f" * 64,
        "data_origin": "real",
        "data_fingerprint": "d" * 64,
        "rows_in": 103,
        "rows_out": 100,
        "churn_rate": 0.27,
        "files": (FileRead("a.csv", "csv", 103, 999, "0" * 64, "utf-8", ","),),
        "findings": (
            Finding("missing_label", "dropped", 3, 3 / 103, "3 rows", "churn", (Example("a.csv", 9, "?"),)),
            Finding("no_signal", "warned", 1, 1 / 103, "no feature tells the classes apart"),
            Finding("missing_value", "cleaned", 5, 5 / 103, "5 missing values", "tenure_months"),
        ),
        "columns": (
            ColumnSummary("tenure_months", "numeric", ("tenure",), 5, 0.0, 72.0, 32.1, {}, 0.74),
            ColumnSummary("plan", "categorical", ("Plan",), 0, level_counts={"basic": 60, "pro": 40}),
        ),
        "split": SplitSummary(42, 0.2, 80, 20, 0.2625, 0.3, 0),
        "strongest_feature": "tenure_months",
        "strongest_feature_auc": 0.74,
        "has_signal": True,
        "ignored_files": ("_SUCCESS",),
    }
    return DataQualityReport(**(values | changes))


def test_report_when_written_and_read_then_is_equal():
    report = _report()

    assert DataQualityReport.from_mapping(json.loads(report.to_json())) == report


def test_report_when_written_then_spells_out_what_a_reader_looks_for_first():
    mapping = json.loads(_report().to_json())

    assert (mapping["contract"], mapping["version"]) == ("data_quality_report", 1)
    assert (mapping["rows_in"], mapping["rows_out"], mapping["rows_dropped"]) == (103, 100, 3)
    assert mapping["class_balance"] == {"0": 73, "1": 27}
    assert mapping["warnings"] == ["no feature tells the classes apart"]


def test_count_when_cause_is_given_then_adds_up_its_columns():
    report = _report()

    assert report.count("missing_value") == report.count("missing_value", "tenure_months") == 5
    assert report.count("missing_value", "plan") == 0


def test_report_when_rows_do_not_add_up_then_is_refused():
    with pytest.raises(ContractError, match=r"104 rows in, 100 out and 3 dropped do not add up"):
        _report(rows_in=104)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("contract", "evaluation_report", r"key 'contract': expected data_quality_report version 1"),
        ("rows_in", "103", r"key 'rows_in': expected a whole number"),
        ("churn_rate", 1.5, r"key 'churn_rate': expected a share"),
        ("data_origin", "invented", r"data_origin must be one of"),
        ("split", None, r"split: expected a mapping"),
        (
            "findings",
            [{"cause": "x", "action": "ignored"}],
            r"findings entry 1, key 'action': expected one of",
        ),
    ],
)
def test_report_when_json_breaks_the_contract_then_error_names_the_key(key, value, expected):
    mapping = copy.deepcopy(_report().to_mapping())
    mapping[key] = value

    with pytest.raises(ContractError, match=expected):
        DataQualityReport.from_mapping(mapping)
