import pytest

from include.data_contracts.hyperparameters import ALGORITHMS, HYPERPARAMETERS, validate_hyperparameters
from include.data_contracts.mapping_reader import ContractError
from sagemaker_jobs.hyperparameters import read_hyperparameter_tokens, read_sagemaker_hyperparameters
from sagemaker_jobs.job_entry import InvalidInputError


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_defaults_when_nothing_is_given_then_lie_in_their_own_ranges(algorithm):
    values = validate_hyperparameters(algorithm, {})

    assert set(values) == set(HYPERPARAMETERS[algorithm])
    assert validate_hyperparameters(algorithm, {n: str(v) for n, v in values.items()}) == values


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_names_then_have_more_than_one_letter_and_are_snake_case(algorithm):
    assert all(len(n) > 1 and n == n.lower() and n.isidentifier() for n in HYPERPARAMETERS[algorithm])


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [("100", 100), ("1e2", 100), ("100.0", 100), ("0100", 100), (100, 100), (1e2, 100)],
)
def test_integer_when_sagemaker_has_spelled_it_anew_then_is_read(spelling, expected):
    value = validate_hyperparameters("hist_gradient_boosting", {"max_iter": spelling})["max_iter"]

    assert value == expected
    assert isinstance(value, int)


@pytest.mark.parametrize(
    ("algorithm", "given", "expected"),
    [
        (
            "hist_gradient_boosting",
            {"max_iter": "1.5"},
            "max_iter .* whole number from 5 to 5000, found '1.5'",
        ),
        ("hist_gradient_boosting", {"max_iter": "many"}, "max_iter .*, found 'many'"),
        ("hist_gradient_boosting", {"max_iter": True}, "max_iter .*, found True"),
        ("hist_gradient_boosting", {"max_iter": "True"}, "max_iter .*, found 'True'"),
        ("hist_gradient_boosting", {"max_iter": "nan"}, "max_iter .*, found 'nan'"),
        ("hist_gradient_boosting", {"max_iter": "inf"}, "max_iter .*, found 'inf'"),
        ("hist_gradient_boosting", {"max_iter": [100]}, "max_iter .*, found"),
        ("hist_gradient_boosting", {"max_iter": None}, "max_iter .*, found None"),
        ("hist_gradient_boosting", {"learning_rate": "0"}, "learning_rate .* from 0.001 to 1, found '0'"),
        ("hist_gradient_boosting", {"learning_rate": "-0.1"}, "learning_rate .*, found '-0.1'"),
        ("hist_gradient_boosting", {"calibration": "platt"}, "one of sigmoid, isotonic, none, found 'platt'"),
        (
            "hist_gradient_boosting",
            {"C": "1"},
            "unknown hyperparameter 'C' for hist_gradient_boosting; known:",
        ),
        ("logistic_regression", {"learning_rate": "0.1"}, "unknown hyperparameter 'learning_rate'"),
        ("random_forest", {"a": 1, "b": 2}, "unknown hyperparameter 'a', 'b' for random_forest"),
        ("keras_mlp", {"dropout": "0.95"}, "dropout of keras_mlp: expected a number from 0 to 0.9"),
        ("xgboost", {}, "unknown algorithm 'xgboost'; choose one of: hist_gradient_boosting"),
    ],
)
def test_hyperparameter_when_wrong_then_is_refused_by_name(algorithm, given, expected):
    with pytest.raises(ContractError, match=expected) as caught:
        validate_hyperparameters(algorithm, given)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], {}),
        (["--max_iter", "10"], {"max_iter": "10"}),
        (["--max_iter=10", "--calibration", "none"], {"max_iter": "10", "calibration": "none"}),
        (["--shift", "-0.5"], {"shift": "-0.5"}),
        (["-C", "1"], {"C": "1"}),
    ],
)
def test_tokens_when_in_pairs_then_are_read(tokens, expected):
    assert read_hyperparameter_tokens(tokens) == expected


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["10"], "argument '10' has no name"),
        (["--"], "argument '--' has no name"),
        (["--max_iter"], "hyperparameter max_iter has no value"),
        (["--max_iter", "1", "--max_iter", "2"], "hyperparameter max_iter is given twice"),
    ],
)
def test_tokens_when_not_in_pairs_then_are_refused(tokens, expected):
    with pytest.raises(InvalidInputError, match=expected):
        read_hyperparameter_tokens(tokens)


@pytest.mark.parametrize("text", ["[1]", "{", '"text"'])
def test_sm_hps_when_not_an_object_then_is_refused(text):
    with pytest.raises(InvalidInputError, match="SM_HPS"):
        read_sagemaker_hyperparameters(text)


def test_sm_hps_when_not_set_then_is_empty():
    assert read_sagemaker_hyperparameters(None) == {}
