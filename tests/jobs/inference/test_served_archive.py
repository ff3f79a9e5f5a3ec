"""The archive as SageMaker serves it: unpacked anywhere, in a process that has only its own code."""

import csv
import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from sagemaker_jobs.churn_predictor import ChurnPredictor
from sagemaker_jobs.split_reading import read_split

# What the scikit-learn container does: import the script by its name from code/, then the four functions.
CALLER = """
import json, sys
model_dir, content_type, accept = sys.argv[1:4]
sys.path.insert(0, model_dir + "/code")
import inference
model = inference.model_fn(model_dir)
try:
    data = inference.input_fn(sys.stdin.buffer.read(), content_type)
    print(inference.output_fn(inference.predict_fn(data, model), accept), end="")
except ValueError as error:
    print(f"{type(error).__name__}: {error}", end="")
ours = ("sagemaker_jobs", "include")
origins = {module.__file__ for name, module in sys.modules.items() if name.split(".")[0] in ours}
assert origins and all(path.startswith(model_dir) for path in origins), origins
"""


def unpack(model, directory):
    with tarfile.open(model.archive) as archive:
        archive.extractall(directory, filter="data")
    return directory


@pytest.fixture(scope="module")
def model_dir(train_model, tmp_path_factory):
    return unpack(train_model("logistic_regression"), tmp_path_factory.mktemp("opt-ml-model"))


def serve(model_dir, body, content_type="text/csv", accept="application/json"):
    command = [sys.executable, "-I", "-c", CALLER, str(model_dir), content_type, accept]
    result = subprocess.run(command, input=body.encode(), capture_output=True, check=True, cwd="/")
    return result.stdout.decode()


def read_requests(split, rows):
    with (split.test_dir / "part-00000.csv").open(newline="") as stream:
        header, *records = csv.reader(stream)
    return header[1:], [record[1:] for record in records[:rows]]


def expected_probabilities(model_dir, split, rows):
    predictor = ChurnPredictor.from_directory(model_dir)
    return predictor.predict_probabilities(read_split(split.test_dir, predictor.encoder)[0].head(rows))


def test_csv_without_header_when_served_then_gives_the_models_probabilities(train_model, split, tmp_path):
    model_dir = unpack(train_model("hist_gradient_boosting", "--max_iter", "20"), tmp_path)
    _, records = read_requests(split, 50)

    answer = serve(model_dir, "\n".join(map(",".join, records)), accept="text/csv")

    lines = [line.split(",") for line in answer.splitlines()]
    expected = expected_probabilities(model_dir, split, 50)
    assert np.array_equal([float(probability) for probability, _ in lines], expected)
    assert [int(label) for _, label in lines] == (expected >= 0.5).astype(int).tolist()


def test_json_when_served_then_gives_the_models_probabilities(model_dir, split):
    header, records = read_requests(split, 3)
    body = json.dumps({"instances": [dict(zip(header, record, strict=True)) for record in records]})

    answer = json.loads(serve(model_dir, body, "application/json"))

    found = [entry["churn_probability"] for entry in answer["predictions"]]
    assert found == expected_probabilities(model_dir, split, 3).tolist()


def test_request_when_a_column_is_missing_then_is_answered_with_its_name(model_dir):
    answer = serve(model_dir, '{"tenure_months": 5}', "application/json")

    assert answer.startswith("RequestError: row 1: missing feature: monthly_charges, total_charges")


def test_request_when_of_another_content_type_then_is_answered_with_the_known_ones(model_dir):
    answer = serve(model_dir, "<a/>", "application/xml")

    assert answer == (
        "RequestError: content type 'application/xml' is not supported; send text/csv, application/json or"
        " application/jsonlines"
    )


def test_model_when_a_file_was_changed_then_is_not_loaded(train_model, tmp_path):
    unpack(train_model("logistic_regression"), tmp_path)
    with (tmp_path / "model.joblib").open("ab") as stream:
        stream.write(b"more")

    with pytest.raises(ValueError, match=r"model\.joblib was changed after training"):
        ChurnPredictor.from_directory(tmp_path)


def test_serving_code_when_archived_then_is_the_code_that_was_trained_with(train_model):
    import sagemaker_jobs.inference as module

    with open(module.__file__, "rb") as stream:  # noqa: PTH123
        source = stream.read()
    assert (train_model("logistic_regression").model_dir / "code" / "inference.py").read_bytes() == source
