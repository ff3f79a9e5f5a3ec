"""A small split as preprocess writes it, and models trained on it; without pyarrow, for every job image."""

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from include.data_contracts.feature_schema import load_schema
from sagemaker_jobs.feature_encoder import CategoricalEncoding, FeatureEncoder, fit_numeric_encoding
from sagemaker_jobs.synthetic_customers import LEVELS, churn_probability, draw_customers
from sagemaker_jobs.train import read_settings, train

SIGNAL_SCALE, INTERCEPT = 1.4, -1.0
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Split:
    """Directories of one split, and what the best possible model reaches on its test rows."""

    directory: Path
    bayes_accuracy: float
    majority_accuracy: float

    @property
    def train_dir(self) -> Path:
        return self.directory / "train"

    @property
    def test_dir(self) -> Path:
        return self.directory / "test"

    @property
    def encoder_dir(self) -> Path:
        return self.directory / "encoder"


@dataclass(frozen=True)
class TrainedModel:
    """Where one training left its outputs."""

    split: Split
    directory: Path

    @property
    def model_dir(self) -> Path:
        return self.directory / "model"

    @property
    def output_data_dir(self) -> Path:
        return self.directory / "output"

    @property
    def archive(self) -> Path:
        return self.directory / "model.tar.gz"


def write_split(directory: Path, rows: int, seed: int, signal_scale: float = SIGNAL_SCALE) -> Split:
    """Write train/ (3/5 of the rows), test/ and encoder/ of customers with a known Bayes accuracy."""
    generator = np.random.default_rng(seed)
    customers = draw_customers(rows, generator)
    probabilities = churn_probability(customers.log_odds, signal_scale, INTERCEPT)
    labels = (generator.random(rows) < probabilities).astype(int)
    schema = load_schema("ibm_telco")
    names = schema.feature_names
    columns = {
        name: [LEVELS[name][code] for code in customers.columns[name]]
        if name in LEVELS
        else [f"{value:g}" if name != "total_charges" else str(value) for value in customers.columns[name]]
        for name in names
    }
    table = list(zip(labels, *(columns[name] for name in names), strict=True))
    cut = rows * 3 // 5
    for side, part in (("train", table[:cut]), ("test", table[cut:])):
        (directory / side).mkdir(parents=True)
        with (directory / side / "part-00000.csv").open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([["churn", *names], *part])
    encoder = FeatureEncoder(
        encodings=tuple(
            CategoricalEncoding(column.name, tuple(level.name for level in column.levels))
            if column.kind == "categorical"
            else fit_numeric_encoding(column.name, customers.columns[column.name][:cut].astype(float))
            for column in schema.features
        ),
        schema_name=schema.name,
        schema_fingerprint=schema.fingerprint(),
        data_origin="synthetic",
        rows_fitted=cut,
    )
    (directory / "encoder").mkdir()
    (directory / "encoder" / "encoder.json").write_text(encoder.to_json())
    (directory / "encoder" / "schema.json").write_text(schema.to_json())
    test_labels, test_probabilities = labels[cut:], probabilities[cut:]
    bayes_accuracy = float(((test_probabilities >= 0.5) == test_labels).mean())
    majority = float(max(test_labels.mean(), 1 - test_labels.mean()))
    return Split(directory, bayes_accuracy, majority)


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return write_split(tmp_path_factory.mktemp("split"), rows=4000, seed=7)


@pytest.fixture(scope="session")
def train_model(tmp_path_factory: pytest.TempPathFactory, split: Split) -> Callable[..., TrainedModel]:
    """Train once per set of arguments; the outputs must not be changed by a test."""
    known: dict[tuple[str, ...], TrainedModel] = {}

    def run(algorithm: str, *arguments: str) -> TrainedModel:
        key = (algorithm, *arguments)
        if key not in known:
            model = TrainedModel(split, tmp_path_factory.mktemp(algorithm))
            train(read_settings([*training_arguments(split, model), "--algorithm", algorithm, *arguments]))
            known[key] = model
        return known[key]

    return run


@pytest.fixture(scope="session")
def train_arguments() -> Callable[[Split, Path], list[str]]:
    """Return the arguments of a training on a split into a directory."""
    return lambda split, directory: training_arguments(split, TrainedModel(split, directory))


def training_arguments(split: Split, model: TrainedModel) -> list[str]:
    arguments = {
        "--train-dir": split.train_dir,
        "--encoder-dir": split.encoder_dir,
        "--model-dir": model.model_dir,
        "--output-data-dir": model.output_data_dir,
        "--model-archive": model.archive,
    }
    return [str(part) for pair in arguments.items() for part in pair]


@pytest.fixture(scope="session")
def make_split(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Split]:
    """Make a further split, which the test may damage."""
    return lambda rows=400, seed=1, signal_scale=SIGNAL_SCALE: write_split(
        tmp_path_factory.mktemp("own-split"), rows, seed, signal_scale
    )


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of public data sets; skips where it is not at hand."""
    directory = Path(os.environ.get("CHURN_REAL_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (directory / "ibm_telco_churn.csv").is_file():
        pytest.skip(f"no ibm_telco_churn.csv in {directory}; set CHURN_REAL_DATA to its directory")
    return directory
