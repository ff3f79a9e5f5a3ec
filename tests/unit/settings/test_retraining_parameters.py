import dataclasses
import json
import math

import pytest
from hypothesis import given, settings

from include.data_contracts.feature_schema import list_bundled_schema_names
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.retraining_table import PARAMETERS
from include.settings.run_parameters import ParameterError
from tests.unit.settings.parameter_values import CONFS

PROPERTY = settings(derandomize=True, deadline=None, max_examples=150, database=None)
DEFAULTS = {row.name: row.default for row in PARAMETERS}
ROWS = {row.name: row for row in PARAMETERS}

# One other, valid value per parameter.
OVERRIDES = {
    "input_data_uri": "s3://bucket/raw/données/",
    "schema": "s3://bucket/schemas/own.yaml",
    "on_missing_data": "synthetic",
    "synthetic_rows": 500,
    "test_fraction": 0.3,
    "algorithm": "keras_mlp",
    "hyperparameters": {"learning_rate": 0.05, "max_iter": 100, "calibration": "isotonic", "shuffle": True},
    "seed": 0,
    "gate_metric": "roc_auc",
    "accuracy_threshold": 0.95,
    "roc_auc_threshold": 0.7,
    "gate_safeguards": False,
    "preprocess_instance_type": "ml.r5.4xlarge",
    "train_instance_type": "ml.c7i.large",
    "evaluate_instance_type": "ml.t3.medium",
    "volume_size_gb": 200,
    "max_runtime_seconds": 86_400,
    "use_spot_instances": True,
    "model_package_group": "churn-2",
    "reason": "drift on 2026-11-20",
}


def test_parameters_when_conf_is_empty_then_are_the_defaults():
    assert RetrainingParameters.from_conf({}, {}).to_mapping() == DEFAULTS
    assert RetrainingParameters.from_conf(None, None) == RetrainingParameters.from_conf(DEFAULTS, {})


def test_parameters_when_compared_with_the_table_then_have_the_same_names():
    assert (
        {field.name for field in dataclasses.fields(RetrainingParameters)} == set(DEFAULTS) == set(OVERRIDES)
    )


@pytest.mark.parametrize("name", OVERRIDES)
def test_parameters_when_one_is_overridden_then_only_that_one_changes(name):
    assert OVERRIDES[name] != DEFAULTS[name]
    found = RetrainingParameters.from_conf(DEFAULTS, {name: OVERRIDES[name]}).to_mapping()
    assert found == {**DEFAULTS, name: OVERRIDES[name]}


def test_parameters_when_three_are_overridden_together_then_all_three_change():
    conf = {name: OVERRIDES[name] for name in ("schema", "accuracy_threshold", "hyperparameters")}
    assert RetrainingParameters.from_conf(DEFAULTS, conf).to_mapping() == {**DEFAULTS, **conf}


def test_parameters_when_conf_and_params_differ_then_conf_wins():
    assert RetrainingParameters.from_conf({"seed": 1}, {"seed": 2}).seed == 2


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("acuracy_threshold", "accuracy_threshold"), ("sed", "seed"), ("Algorithm", "algorithm")],
)
def test_parameters_when_a_key_is_misspelt_then_it_is_refused_with_the_nearest_name(name, nearest):
    with pytest.raises(ParameterError, match=rf"unknown parameter '{name}' \(did you mean '{nearest}'\?\)"):
        RetrainingParameters.from_conf({}, {name: 1})


def test_parameters_when_a_key_is_far_from_all_then_the_known_names_are_told():
    with pytest.raises(ParameterError, match=r"unknown parameter 'xyz' .*known: .*seed"):
        RetrainingParameters.from_conf({}, {"xyz": 1})


def test_parameters_when_airflow_has_merged_an_unknown_key_into_params_then_it_is_refused():
    with pytest.raises(ParameterError, match="unknown parameter 'thresh'"):
        RetrainingParameters.from_conf({**DEFAULTS, "thresh": 1}, {})


def test_parameters_when_several_are_wrong_then_one_line_names_all_of_them():
    with pytest.raises(ParameterError) as caught:
        RetrainingParameters.from_conf({}, {"seed": -1, "algorithm": "magic", "nonsense": True})
    assert all(part in str(caught.value) for part in ("seed", "-1", "algorithm", "magic", "nonsense"))
    assert "\n" not in str(caught.value)


def test_parameters_when_conf_is_not_an_object_then_it_is_refused():
    with pytest.raises(ParameterError, match="JSON object"):
        RetrainingParameters.from_conf({}, ["seed"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # A text is no number, a number no text, true no 1: nothing is guessed.
        ("accuracy_threshold", "0.8"),
        ("seed", "42"),
        ("seed", True),
        ("test_fraction", True),
        ("gate_safeguards", "true"),
        ("gate_safeguards", 1),
        ("use_spot_instances", None),
        ("schema", 7),
        ("seed", None),
        ("seed", 42.5),
        ("accuracy_threshold", math.nan),
        ("accuracy_threshold", math.inf),
        ("accuracy_threshold", -math.inf),
        ("seed", math.inf),
        # bounds
        ("accuracy_threshold", 1.0000001),
        ("accuracy_threshold", -0.1),
        ("test_fraction", 0.04),
        ("test_fraction", 0.51),
        ("seed", 2**32),
        ("volume_size_gb", 0),
        ("volume_size_gb", 16_385),
        ("max_runtime_seconds", 59),
        ("max_runtime_seconds", 86_401),
        ("synthetic_rows", 499),
        ("synthetic_rows", 10_000_001),
        ("reason", "x" * 501),
        # choices and forms
        ("algorithm", "xgboost"),
        ("algorithm", ""),
        ("gate_metric", "auc"),
        ("on_missing_data", "ignore"),
        ("train_instance_type", "ml.p3.2xlarge"),
        ("train_instance_type", "m5.large"),
        ("input_data_uri", "/data/raw"),
        ("input_data_uri", "https://bucket/raw/"),
        ("input_data_uri", "s3://bucket"),
        ("input_data_uri", "s3://Bucket/raw/"),
        ("input_data_uri", "s3://bucket/raw\n"),
        ("input_data_uri", "s3://bucket/\ud800"),
        ("schema", "../etc/passwd"),
        ("schema", "s3://bucket/schema.txt"),
        ("schema", ""),
        ("model_package_group", "under_score"),
        ("model_package_group", "-churn"),
        ("model_package_group", "churn-"),
        ("model_package_group", "c" * 54),
        ("model_package_group", ""),
        ("model_package_group", "telecom-churn-synthetic"),
        # hyperparameters
        ("hyperparameters", None),
        ("hyperparameters", "{}"),
        ("hyperparameters", {"n": 1}),
        ("hyperparameters", {"Depth": 1}),
        ("hyperparameters", {"max-depth": 1}),
        ("hyperparameters", {"seed": 1}),
        ("hyperparameters", {"sagemaker_program": "evil.py"}),
        ("hyperparameters", {"depth": [1]}),
        ("hyperparameters", {"depth": None}),
        ("hyperparameters", {"depth": {"a": 1}}),
        ("hyperparameters", {"depth": math.nan}),
        ("hyperparameters", {"depth": 1e16}),
        ("hyperparameters", {"word": "x" * 255}),
        ("hyperparameters", {"word": 'quote"'}),
        ("hyperparameters", {"word": "line\n"}),
        ("hyperparameters", {f"name_{n}": n for n in range(81)}),
    ],
)  # fmt: skip
def test_parameters_when_a_value_is_wrong_then_it_is_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=name) as caught:
        RetrainingParameters.from_conf(DEFAULTS, {name: value})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seed", 42.0, 42),  # JSON does not tell 42 from 42.0
        ("accuracy_threshold", 1, 1.0),
        ("input_data_uri", None, ""),  # an emptied field of the trigger form
        ("reason", None, ""),
        ("accuracy_threshold", 0, 0.0),
        (
            "hyperparameters",
            {f"name_{n}": "x" * 254 for n in range(80)},
            {f"name_{n}": "x" * 254 for n in range(80)},
        ),
    ],
)
def test_parameters_when_a_value_is_at_the_edge_then_it_is_taken_as_its_type(name, value, expected):
    found = getattr(RetrainingParameters.from_conf({}, {name: value}), name)
    assert found == expected
    assert type(found) is type(expected)


def test_parameters_when_written_and_read_then_are_equal():
    parameters = RetrainingParameters.from_conf({}, OVERRIDES)
    assert RetrainingParameters.from_mapping(json.loads(json.dumps(parameters.to_mapping()))) == parameters


@PROPERTY
@given(conf=CONFS)
def test_parameters_when_conf_is_within_the_schemas_then_are_accepted_and_survive_json(conf):
    parameters = RetrainingParameters.from_conf(DEFAULTS, conf)
    assert RetrainingParameters.from_mapping(json.loads(json.dumps(parameters.to_mapping()))) == parameters


def test_table_when_it_names_the_bundled_schemas_then_names_all_of_them():
    assert all(name in ROWS["schema"].description for name in list_bundled_schema_names())
    assert ROWS["schema"].default in list_bundled_schema_names()


def test_table_when_compared_with_the_training_job_then_names_its_algorithms():
    from include.data_contracts.hyperparameters import ALGORITHMS, DEFAULT_ALGORITHM, HYPERPARAMETERS

    assert set(ROWS["algorithm"].schema["enum"]) == set(ALGORITHMS)
    assert ROWS["algorithm"].default == DEFAULT_ALGORITHM
    for algorithm, known in HYPERPARAMETERS.items():
        conf = {
            "algorithm": algorithm,
            "hyperparameters": {name: rule.default for name, rule in known.items()},
        }
        assert RetrainingParameters.from_conf({}, conf).algorithm == algorithm
