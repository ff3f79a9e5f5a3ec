"""Serve a churn model: `code/inference.py` of model.tar.gz, in the scikit-learn and the TF Serving container.

The scikit-learn container calls model_fn, input_fn, predict_fn and output_fn; the TF Serving one calls
input_handler and output_handler around its own REST call. Both take raw validated features
(prediction_requests tells the formats) and answer with churn probabilities and classes.
"""

import json
import sys
from pathlib import Path
from typing import Any

# TF Serving's Python service loads this file by its path, without its directory on the module path.
_CODE_DIR = str(Path(__file__).resolve().parent)
if _CODE_DIR not in sys.path and Path(_CODE_DIR, "sagemaker_jobs").is_dir():
    sys.path.insert(0, _CODE_DIR)

from sagemaker_jobs.model_description import ModelDescription  # noqa: E402 - after the path is set
from sagemaker_jobs.prediction_requests import (  # noqa: E402
    RequestError,
    choose_accepted,
    format_predictions,
    read_rows,
)
from sagemaker_jobs.row_encoder import (  # noqa: E402
    encode_rows,
    feature_names,
    numeric_feature_names,
    read_encoder_mapping,
)

_MODEL_DIR = Path(_CODE_DIR).parent


def model_fn(model_dir: str) -> Any:
    """Load the model; raises ValueError when a file is missing or was changed."""
    from sagemaker_jobs.churn_predictor import ChurnPredictor

    return ChurnPredictor.from_directory(Path(model_dir))


def input_fn(request_body: bytes | str, content_type: str) -> Any:
    """Return a DataFrame (n rows, raw features) from a request body; raises RequestError."""
    import pandas as pd

    encoder = read_encoder_mapping(_MODEL_DIR / "encoder.json")
    names, numeric_names = feature_names(encoder), numeric_feature_names(encoder)
    rows = _answer_errors(read_rows, request_body, content_type, names, numeric_names)
    columns = {name: [row[name] for row in rows] for name in names}
    return pd.DataFrame({n: pd.Series(v, dtype=_dtype(n, numeric_names)) for n, v in columns.items()})


def _dtype(name: str, numeric_names: list[str]) -> Any:
    return "float64" if name in numeric_names else object


def predict_fn(features: Any, model: Any) -> dict[str, Any]:
    """Return churn probabilities (list of n floats) and the model's decision threshold."""
    return {
        "probabilities": model.predict_probabilities(features).tolist(),
        "decision_threshold": model.description.decision_threshold,
    }


def output_fn(prediction: dict[str, Any], accept: str) -> str:
    """Return the predictions as JSON (default), JSON Lines or CSV; raises RequestError."""
    return _answer_errors(
        format_predictions, prediction["probabilities"], prediction["decision_threshold"], accept
    )


def input_handler(data: Any, context: Any) -> str:
    """Turn a request body into TF Serving's `{"instances": [...]}`; raises RequestError."""
    encoder = read_encoder_mapping(_MODEL_DIR / "encoder.json")
    choose_accepted(context.accept_header)  # refuse before predicting
    rows = read_rows(
        data.read(), context.request_content_type, feature_names(encoder), numeric_feature_names(encoder)
    )
    return json.dumps({"instances": encode_rows(encoder, rows)})


def output_handler(response: Any, context: Any) -> tuple[str, str]:
    """Turn TF Serving's answer into ours and its content type; raises ValueError with its error text."""
    if response.status_code != 200:
        raise ValueError(f"TF Serving answered {response.status_code}: {response.content.decode()[:500]}")
    description = ModelDescription.from_directory(_MODEL_DIR)
    probabilities = [value for (value,) in json.loads(response.content)["predictions"]]
    accept = context.accept_header
    return format_predictions(probabilities, description.decision_threshold, accept), choose_accepted(accept)


def _answer_errors(function: Any, *arguments: Any) -> Any:
    """Let the scikit-learn container answer a bad request with 4xx and our line, instead of 500."""
    try:
        return function(*arguments)
    except RequestError as error:
        try:
            from sagemaker_inference.errors import BaseInferenceToolkitError
        except ImportError:
            raise error from None
        raise BaseInferenceToolkitError(error.status_code, str(error), str(error)) from error
