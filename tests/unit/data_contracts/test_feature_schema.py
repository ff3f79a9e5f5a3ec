"""Schemas are read strictly, and an error names file and key."""

import copy
import json
import re
from pathlib import Path

import pytest

from include.data_contracts.feature_schema import (
    ContractError,
    FeatureSchema,
    list_bundled_schema_names,
    load_schema,
    normalise_name,
    normalise_spelling,
)

MINIMAL = {
    "name": "mine",
    "columns": [
        {"name": "customer_id", "kind": "id"},
        {"name": "usage", "kind": "numeric", "unit": "GB", "minimum": 0, "maximum": 100},
        {"name": "plan", "kind": "categorical", "levels": ["basic", "pro"]},
        {"name": "churn", "kind": "target", "positive": ["Yes"], "negative": ["No"]},
    ],
}


def _with(path: list, value: object) -> dict:
    """Return the minimal schema with one value set (or a key removed, for `...`)."""
    changed = copy.deepcopy(MINIMAL)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def test_bundled_schemas_when_listed_then_are_the_three_sources():
    assert list_bundled_schema_names() == ("ibm_telco", "iranian", "mlc")


def test_ibm_telco_when_loaded_then_has_exactly_the_twelve_features():
    schema = load_schema("ibm_telco")

    assert schema.feature_names == (
        "tenure_months",
        "monthly_charges",
        "total_charges",
        "senior_citizen",
        "contract_type",
        "internet_service",
        "phone_service",
        "multiple_lines",
        "online_security",
        "tech_support",
        "payment_method",
        "paperless_billing",
    )
    assert (schema.id_column.name, schema.target.name) == ("customer_id", "churn")
    ranges = {column.name: (column.minimum, column.maximum) for column in schema.numeric_features}
    assert ranges == {
        "tenure_months": (0, 72),
        "monthly_charges": (18, 120),
        "total_charges": (0, 9000),
        "senior_citizen": (0, 1),
    }


@pytest.mark.parametrize("name", ["ibm_telco", "iranian", "mlc"])
def test_schema_when_written_and_read_then_is_equal_with_the_same_fingerprint(name):
    schema = load_schema(name)

    again = FeatureSchema.from_mapping(json.loads(json.dumps(schema.to_mapping())))

    assert again == schema
    assert again.fingerprint() == schema.fingerprint()
    assert re.fullmatch(r"[0-9a-f]{64}", schema.fingerprint())


def test_schema_when_compiled_to_json_then_loads_by_path(tmp_path):
    (tmp_path / "mine.json").write_text(load_schema("mlc").to_json())

    assert load_schema(str(tmp_path / "mine.json")) == load_schema("mlc")


def test_fingerprint_when_level_order_changes_then_differs():
    swapped = _with(["columns", 2, "levels"], ["pro", "basic"])

    assert (
        FeatureSchema.from_mapping(swapped).fingerprint() != FeatureSchema.from_mapping(MINIMAL).fingerprint()
    )


@pytest.mark.parametrize(
    "levels",
    [["basic", "pro"], {"basic": [], "pro": []}, [{"name": "basic"}, {"name": "pro", "spellings": []}]],
)
def test_levels_when_given_in_any_of_three_forms_then_are_the_same(levels):
    schema = FeatureSchema.from_mapping(_with(["columns", 2, "levels"], levels))

    assert schema == FeatureSchema.from_mapping(MINIMAL)


def test_yaml_when_yes_and_no_are_unquoted_then_they_stay_words():
    text = """
name: mine
columns:
  - {name: usage, kind: numeric, unit: GB, minimum: 0, maximum: 1}
  - {name: plan, kind: categorical, levels: {Yes: [on, y], No: [off, 0]}}
  - {name: churn, kind: target, positive: [Yes, 1], negative: [No, 0]}
"""
    schema = FeatureSchema.from_text(text, "mine.yaml")

    assert schema.target.positive == ("Yes", "1")
    assert schema.column("plan").level_names == ("Yes", "No")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["name"], "My Source", r"key 'name': expected a lower_case_name, found 'My Source'"),
        (["name"], ..., r"key 'name': is missing"),
        (["colour"], "red", r"unknown key 'colour'; known: name"),
        (["version"], 9, r"key 'version': this program reads version 1, found 9"),
        (["columns"], "usage", r"key 'columns': expected a list"),
        (
            ["columns", 1, "kind"],
            "number",
            r"\(usage\), key 'kind': expected id, numeric, categorical or target",
        ),
        (["columns", 1, "minimum"], "zero", r"\(usage\), key 'minimum': expected a number"),
        (["columns", 1, "minimum"], True, r"\(usage\), key 'minimum': expected a number"),
        (["columns", 1, "maximum"], float("inf"), r"\(usage\), key 'maximum': expected a number"),
        (["columns", 1, "maximum"], -1, r"\(usage\), key 'maximum': must be above the minimum 0"),
        (["columns", 1, "unit"], ..., r"\(usage\), key 'unit': is missing"),
        (["columns", 1, "range"], [0, 1], r"\(usage\): unknown key 'range'"),
        (["columns", 2, "levels"], ["only"], r"\(plan\), key 'levels': expected at least two levels"),
        (["columns", 2, "levels"], ["1", "2"], r"\(plan\), key 'levels': '1' reads as a number or a null"),
        (["columns", 2, "levels"], ["None", "pro"], r"'None' reads as a number or a null; give it a word"),
        (["columns", 2, "levels"], [True, False], r"found the boolean True; write it in quotes"),
        (
            ["columns", 2, "levels"],
            {"basic": ["b"], "pro": ["B "]},
            r"column plan: spelling 'b' belongs to both 'basic' and 'pro'",
        ),
        (["columns", 3, "name"], "left", r"name the target column 'churn' and list 'left' under its aliases"),
        (["columns", 3, "negative"], ["yes"], r"label 'yes' belongs to both 'positive' and 'negative'"),
        (["columns", 3, "positive"], [], r"column churn: needs spellings for positive and negative"),
        (["columns", 0, "kind"], "target", r"\(customer_id\), key 'positive': is missing"),
        (
            ["columns", 0, "aliases"],
            ["Usage"],
            r"column name 'usage' belongs to both 'customer_id' and 'usage'",
        ),
        (["leak_columns"], ["PLAN"], r"column name 'plan' belongs to both"),
        (["limits"], {"maximum_null_share": 5}, r"limits, key 'maximum_null_share': expected a share"),
        (["limits"], {"maximum_nulls": 0.1}, r"limits: unknown key 'maximum_nulls'"),
        (["limits"], {"minimum_rows": 1.5}, r"key 'minimum_rows': expected a whole number"),
        (
            ["rules"],
            [
                {
                    "kind": "fill",
                    "name": "r",
                    "column": "speed",
                    "value": 0,
                    "when": {"column": "usage", "equals": 0},
                }
            ],
            r"rule r: 'speed' is not a feature",
        ),
        (
            ["rules"],
            [
                {
                    "kind": "fill",
                    "name": "r",
                    "column": "plan",
                    "value": 0,
                    "when": {"column": "usage", "equals": 0},
                }
            ],
            r"rule r: plan must be numeric",
        ),
        (
            ["rules"],
            [
                {
                    "kind": "implies",
                    "name": "r",
                    "if": {"column": "plan", "equals": "gold"},
                    "then": {"column": "usage", "equals": 0},
                }
            ],
            r"rule r: plan is one of basic, pro; found \['gold'\]",
        ),
        (
            ["rules"],
            [
                {
                    "kind": "implies",
                    "name": "r",
                    "if": {"column": "plan"},
                    "then": {"column": "usage", "equals": 0},
                }
            ],
            r"rules entry 1, if, key 'equals': a condition needs one of",
        ),
        (
            ["rules"],
            [{"kind": "code", "name": "r"}],
            r"rules entry 1, key 'kind': expected fill, implies or product",
        ),
    ],
)
def test_schema_when_something_is_wrong_then_error_names_place_and_key(path, value, expected):
    with pytest.raises(ContractError, match=expected) as error:
        FeatureSchema.from_mapping(_with(path, value), "mine.yaml")

    assert str(error.value).startswith("mine.yaml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("mine.yaml", "columns: [", r"mine\.yaml: not YAML"),
        ("mine.json", "{\n  oops", r"mine\.json, line 2: not JSON"),
        ("mine.yaml", "just text", r"mine\.yaml: expected a mapping"),
        ("mine.yaml", "!!python/object/apply:os.system ['true']", r"mine\.yaml: not YAML"),
    ],
)
def test_schema_file_when_it_cannot_be_parsed_then_error_names_the_file(name, text, expected, tmp_path):
    (tmp_path / name).write_text(text)

    with pytest.raises(ContractError, match=expected) as error:
        load_schema(str(tmp_path / name))

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["nokia", "../ibm_telco", "/nowhere/x.yaml", ""])
def test_load_schema_when_unknown_then_says_what_there_is(name):
    with pytest.raises(ContractError, match=r"unknown schema|cannot be read"):
        load_schema(name)


@pytest.mark.parametrize(
    "text", ["Total Charges", "total_charges", " TOTALCHARGES ", "Total  Charges\n", "total-charges"]
)
def test_normalise_name_when_only_case_and_punctuation_differ_then_is_one_name(text):
    assert normalise_name(text) == "totalcharges"


@pytest.mark.parametrize("text", ["Month-to-month", "month to month", " MONTH_TO_MONTH", "month  to\tmonth"])
def test_normalise_spelling_when_only_case_and_spaces_differ_then_is_one_spelling(text):
    assert normalise_spelling(text) == "month to month"


def test_normalise_spelling_when_only_punctuation_then_keeps_it():
    assert [normalise_spelling(text) for text in ("-", "--", "")] == ["-", "--", ""]


def test_documentation_when_its_example_is_copied_then_is_a_valid_schema():
    page = (Path(__file__).resolve().parents[3] / "docs" / "data-contract.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]

    schema = FeatureSchema.from_text(example, "my_source.yaml")

    assert schema.feature_names == ("usage_gb", "months", "plan")
