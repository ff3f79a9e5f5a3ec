import numpy as np
import pandas as pd
import pytest

from sagemaker_jobs.feature_encoder import CategoricalEncoding, FeatureEncoder, NumericEncoding
from sagemaker_jobs.row_encoder import (
    encode_rows,
    feature_names,
    numeric_feature_names,
    read_encoder_mapping,
)
from sagemaker_jobs.split_reading import read_encoder, read_split


def test_rows_when_encoded_by_either_encoder_then_are_the_same(split):
    encoder = read_encoder(split.encoder_dir)
    features, _ = read_split(split.test_dir, encoder)
    rows = features.astype(object).to_dict("records")
    mapping = read_encoder_mapping(split.encoder_dir / "encoder.json")

    encoded = np.array(encode_rows(mapping, rows), dtype=np.float32)

    assert np.array_equal(encoded, encoder.transform_dense(features))
    assert feature_names(mapping) == list(encoder.feature_names)
    assert numeric_feature_names(mapping) == [
        name
        for name, is_level in zip(encoder.feature_names, encoder.categorical_mask, strict=True)
        if not is_level
    ]


@pytest.mark.parametrize("has_indicator", [True, False])
def test_rows_when_values_are_missing_or_unknown_then_are_encoded_the_same(tmp_path, has_indicator):
    encoder = FeatureEncoder(
        (NumericEncoding("age", 40.0, 41.5, 12.25, has_indicator), CategoricalEncoding("plan", ("a", "b"))),
        "own",
        "f" * 64,
        "real",
        10,
    )
    (tmp_path / "encoder.json").write_text(encoder.to_json())
    rows = [{"age": None, "plan": "a"}, {"age": 30.5, "plan": "c"}, {"age": 1e9, "plan": None}]

    encoded = encode_rows(read_encoder_mapping(tmp_path / "encoder.json"), rows)

    expected = encoder.transform_dense(pd.DataFrame(rows))
    assert np.array_equal(np.array(encoded, dtype=np.float32), expected)


def test_encoder_when_of_another_kind_then_is_refused(tmp_path):
    (tmp_path / "encoder.json").write_text('{"contract": "feature_encoder", "version": 2}')

    with pytest.raises(ValueError, match="not a feature encoder of version 1"):
        read_encoder_mapping(tmp_path / "encoder.json")
