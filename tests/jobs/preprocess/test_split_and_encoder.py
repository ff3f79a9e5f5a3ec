"""The split is exact, stratified and free of leaks; the encoder knows the train rows only."""

import json
import statistics
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.data_contracts.feature_schema import load_schema
from include.drift_statistics.profile_files import load_profile, profile_bytes
from sagemaker_jobs.feature_encoder import FeatureEncoder
from sagemaker_jobs.preprocess import fit_encoder
from sagemaker_jobs.row_store import RowStore
from sagemaker_jobs.row_validation import ValidatedRows
from sagemaker_jobs.train_test_split import choose_test_rows


def _read(finished, split: str) -> pd.DataFrame:
    return pd.read_csv(finished.output_dir / split / "part-00000.csv")


@pytest.fixture
def whole_ibm(real_file, run):
    return run(real_file("ibm_telco_churn.csv"))


def test_split_when_real_data_then_sizes_are_exact_per_class(whole_ibm):
    counts = {split: Counter(row["churn"] for row in whole_ibm.rows(split)) for split in ("train", "test")}

    assert counts["test"] == {"0": round(5174 * 0.2), "1": round(1869 * 0.2)}
    assert counts["train"] == {"0": 5174 - round(5174 * 0.2), "1": 1869 - round(1869 * 0.2)}


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_split_when_fraction_is_given_then_it_is_kept(fraction, real_file, run):
    split = run(real_file("ibm_telco_churn.csv"), "--test-fraction", str(fraction)).report.split

    assert abs(split.rows_test - 7043 * fraction) <= 1
    assert split.churn_rate_test == pytest.approx(split.churn_rate_train, abs=5e-4)


def test_split_files_when_read_then_target_is_first_and_features_follow_the_schema(whole_ibm):
    for split in ("train", "test"):
        frame = _read(whole_ibm, split)
        assert tuple(frame.columns) == ("churn", *load_schema("ibm_telco").feature_names)
        assert set(frame["churn"]) == {0, 1}
        assert not frame.isna().any().any()


def test_split_when_rows_share_their_features_then_they_are_on_one_side(whole_ibm):
    train, test = (
        {tuple(list(row.values())[1:]) for row in whole_ibm.rows(split)} for split in ("train", "test")
    )

    assert whole_ibm.report.split.rows_sharing_features > 100
    assert not train & test


def test_split_when_seed_is_the_same_then_outputs_are_the_same_bytes(ibm, run):
    first = (run(ibm.to_csv(), "--seed", "7").output_dir / "train" / "part-00000.csv").read_bytes()
    again = (run(ibm.to_csv(), "--seed", "7").output_dir / "train" / "part-00000.csv").read_bytes()
    other = (run(ibm.to_csv(), "--seed", "8").output_dir / "train" / "part-00000.csv").read_bytes()

    assert first == again != other


def test_split_when_rows_are_shuffled_then_each_stays_on_its_side(ibm, run):
    before = run(ibm.to_csv())
    sides = {split: sorted(map(str, before.rows(split))) for split in ("train", "test")}
    fingerprint, encoder = before.report.data_fingerprint, _encoder_text(before)
    ibm.rows.reverse()

    after = run(ibm.to_csv())

    assert {split: sorted(map(str, after.rows(split))) for split in ("train", "test")} == sides
    assert after.report.data_fingerprint == fingerprint
    assert _encoder_text(after) == encoder


def _encoder_text(finished) -> str:
    return (finished.output_dir / "encoder" / "encoder.json").read_text()


def test_encoder_when_fitted_then_knows_the_train_rows_and_no_other(whole_ibm):
    encodings = {e["name"]: e for e in json.loads(_encoder_text(whole_ibm))["features"]}
    train, test = _read(whole_ibm, "train"), _read(whole_ibm, "test")
    both = pd.concat([train, test])

    for name in ("tenure_months", "monthly_charges", "total_charges", "senior_citizen"):
        assert encodings[name]["mean"] == pytest.approx(statistics.fmean(train[name]), rel=1e-11)
        assert encodings[name]["standard_deviation"] == pytest.approx(
            statistics.pstdev(train[name]), rel=1e-9
        )
        assert encodings[name]["median"] == statistics.median(train[name])
        # With a leak the figures would be those of all rows; these differ far beyond the tolerance.
        assert abs(statistics.fmean(both[name]) / encodings[name]["mean"] - 1) > 1e-6


def _fit(tmp_path: Path, test_scale: float) -> FeatureEncoder:
    """Fit on 30 rows of which every third is a test row, whose numbers are scaled."""
    schema = load_schema("ibm_telco")
    is_test = np.arange(30) % 3 == 0
    columns = {c.name: np.arange(30.0) * np.where(is_test, test_scale, 1) for c in schema.numeric_features}
    columns |= {c.name: np.zeros(30, dtype=np.int16) for c in schema.categorical_features}
    zeros = np.zeros(30, dtype=np.uint64)
    directory = tmp_path / f"store-{test_scale}"
    directory.mkdir()
    store = RowStore(directory, schema)
    labels = np.zeros(30, dtype=np.int8)
    store.append("a.csv", ValidatedRows(columns, labels, zeros, zeros > 0, zeros, np.arange(30)))
    store.finish()
    return fit_encoder(store, ~is_test, "real")


def test_encoder_when_only_test_rows_differ_then_stays_the_same(tmp_path: Path):
    assert _fit(tmp_path, 1.0) == _fit(tmp_path, 1000.0)


def test_dense_encoding_when_train_rows_then_scaled_to_mean_0_and_deviation_1(whole_ibm):
    encoder = FeatureEncoder.from_json(whole_ibm.output_dir / "encoder" / "encoder.json")
    train = _read(whole_ibm, "train")

    dense = encoder.transform_dense(train)

    assert dense.dtype == np.float32
    assert dense.shape == (len(train), len(encoder.dense_feature_names)) == (5634, 27)
    numeric = dense[:, :4].astype(float)
    assert np.allclose(numeric.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(numeric.std(axis=0), 1, atol=1e-5)
    assert set(np.unique(dense[:, 4:])) == {0.0, 1.0}
    assert (dense[:, 4:].sum(axis=1) == 8).all()


def test_ordinal_encoding_when_train_rows_then_codes_follow_the_schema(whole_ibm):
    encoder = FeatureEncoder.from_json(whole_ibm.output_dir / "encoder" / "encoder.json")
    train = _read(whole_ibm, "train")

    ordinal = encoder.transform_ordinal(train)

    assert ordinal.dtype == np.float64
    assert ordinal.shape == (5634, 12)
    assert encoder.categorical_mask.tolist() == [False] * 4 + [True] * 8
    contract = load_schema("ibm_telco").column("contract_type").level_names
    assert [contract[int(code)] for code in ordinal[:, 4]] == train["contract_type"].tolist()


def _small_encoder() -> FeatureEncoder:
    return FeatureEncoder.from_mapping(
        {
            "contract": "feature_encoder", "version": 1, "schema": {"name": "s", "fingerprint": "f"},
            "data_origin": "real", "rows_fitted": 3,
            "features": [
                {"name": "price", "kind": "numeric", "median": 4.0, "mean": 5.0, "standard_deviation": 2.0,
                 "missing_indicator": True},
                {"name": "plan", "kind": "categorical", "levels": ["basic", "pro"]},
            ],
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("price", "plan", "dense", "ordinal"),
    [
        (9, "pro", [2, 0, 0, 1], [9, 1]),
        (None, "basic", [-0.5, 1, 1, 0], [np.nan, 0]),
        ("7.0", "unheard of", [1, 0, 0, 0], [7, np.nan]),
        ("seven", None, [-0.5, 1, 0, 0], [np.nan, np.nan]),
        (float("inf"), float("nan"), [-0.5, 1, 0, 0], [np.nan, np.nan]),
        (5, 3, [0, 0, 0, 0], [5, np.nan]),
    ],
)
@pytest.mark.parametrize("dtype", [None, object])
def test_encoder_when_cell_is_missing_or_unknown_then_encodes_it_as_documented(
    price, plan, dense, ordinal, dtype
):
    frame = pd.DataFrame({"plan": pd.Series([plan], dtype=dtype), "price": pd.Series([price], dtype=dtype)})

    assert _small_encoder().transform_dense(frame).tolist() == [dense]
    assert np.array_equal(_small_encoder().transform_ordinal(frame)[0], ordinal, equal_nan=True)


def test_encoder_when_written_and_read_then_is_the_same(tmp_path):
    (tmp_path / "encoder.json").write_text(_small_encoder().to_json())

    assert FeatureEncoder.from_json(tmp_path / "encoder.json") == _small_encoder()


def test_encoder_when_frame_lacks_a_feature_then_names_it():
    with pytest.raises(ValueError, match="missing feature: plan"):
        _small_encoder().transform_dense(pd.DataFrame({"price": [1]}))


@pytest.mark.parametrize("text", ["{}", "not json", '{"contract": "feature_encoder", "version": 2}'])
def test_encoder_when_file_is_not_one_then_names_the_file(text, tmp_path):
    (tmp_path / "encoder.json").write_text(text)

    with pytest.raises(ValueError, match=r"encoder\.json: not a feature encoder of version 1"):
        FeatureEncoder.from_json(tmp_path / "encoder.json")


def test_encoder_when_train_has_missing_numbers_then_imputes_the_median_and_marks_them(ibm, run):
    ibm.set("MonthlyCharges", "", slice(0, 60))

    finished = run(ibm.to_csv())

    encoder = FeatureEncoder.from_json(finished.output_dir / "encoder" / "encoder.json")
    train = _read(finished, "train")
    column = encoder.dense_feature_names.index("monthly_charges")
    dense = encoder.transform_dense(train).astype(float)
    assert encoder.dense_feature_names[column + 1] == "monthly_charges=missing"
    assert dense[:, column + 1].sum() == train["monthly_charges"].isna().sum() > 30
    assert dense[:, column].mean() == pytest.approx(0, abs=1e-5)
    assert not np.isnan(dense).any()


def test_reference_when_train_is_small_then_is_all_of_it(whole_ibm):
    described = json.loads((whole_ibm.output_dir / "reference" / "reference.json").read_text())

    assert (whole_ibm.output_dir / "reference" / "reference.csv").read_bytes() == (
        whole_ibm.output_dir / "train" / "part-00000.csv"
    ).read_bytes()
    assert described["rows"] == described["sampled_from"] == 5634
    assert described["data_origin"] == "real"


def test_reference_profile_when_written_then_counts_every_train_row_by_level_name(whole_ibm):
    train = _read(whole_ibm, "train")
    profile = load_profile(whole_ibm.output_dir / "reference" / "reference.profile")

    assert json.loads((whole_ibm.output_dir / "reference" / "reference.json").read_text())["profile"] == (
        "reference.profile"
    )
    assert list(profile.layout) == list(load_schema("ibm_telco").feature_names)
    assert profile.rows == len(train)
    assert profile.counts["contract_type"].levels == train["contract_type"].value_counts().to_dict()
    tenure = profile.counts["tenure_months"]
    assert (tenure.minimum, tenure.maximum, tenure.values) == (0, 72, len(train))
    assert profile.joint.squares is not None


def test_reference_profile_when_ranges_are_declared_then_only_what_cannot_be_is_broken(whole_ibm):
    """A tenure above 72 is drift, for it could be real; a negative one, or a flag of 2, is broken data."""
    layout = load_profile(whole_ibm.output_dir / "reference" / "reference.profile").layout

    limits = {
        name: (place.valid_minimum, place.valid_maximum)
        for name, place in layout.items()
        if (hasattr(place, "valid_minimum"))
    }
    assert limits == {
        "tenure_months": (0, None),
        "monthly_charges": (0, None),
        "total_charges": (0, None),
        "senior_citizen": (0, 1),
    }


def test_reference_profile_when_rows_are_in_another_order_then_has_the_same_counts(ibm, run):
    first = load_profile(run(ibm.to_csv(), "--seed", "1").output_dir / "reference" / "reference.profile")
    ibm.rows.reverse()
    second = load_profile(run(ibm.to_csv(), "--seed", "1").output_dir / "reference" / "reference.profile")

    assert profile_bytes(first) == profile_bytes(second)


def test_split_when_most_rows_share_features_then_groups_stay_whole_and_the_ratio_is_close():
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 200, 4000).astype(np.uint64)
    labels = (rng.random(4000) < 0.3).astype(np.int8)

    is_test, sharing = choose_test_rows(hashes, labels, 0.2, 1)

    assert sharing == 4000
    assert not set(hashes[is_test]) & set(hashes[~is_test])
    assert is_test.mean() == pytest.approx(0.2, abs=0.02)
    assert labels[is_test].mean() == pytest.approx(labels.mean(), abs=0.05)
