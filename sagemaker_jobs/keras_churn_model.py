"""The Keras churn model as files and as a function; how it is trained stands in keras_training."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Must be set before the first import of keras; a container may set them otherwise.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PREDICTION_BATCH_ROWS = 16_384
KERAS_FILE = "model.keras"
# TF Serving takes the highest numbered directory as the model's version.
SAVED_MODEL_DIRECTORY = "1"


def build_keras_model(columns: int, hyperparameters: Mapping[str, Any]) -> Any:
    """Return a compiled network of two hidden layers: float32 (n, columns) in, (n, 1) in [0, 1] out."""
    import keras

    def hidden(units: int) -> Any:
        return keras.layers.Dense(
            units,
            activation="relu",
            kernel_regularizer=keras.regularizers.L2(hyperparameters["l2_regularization"]),
        )

    model = keras.Sequential(
        [
            keras.Input((columns,), name="features"),
            hidden(hyperparameters["first_layer_units"]),
            keras.layers.Dropout(hyperparameters["dropout"]),
            hidden(hyperparameters["second_layer_units"]),
            keras.layers.Dropout(hyperparameters["dropout"]),
            keras.layers.Dense(1, activation="sigmoid", name="churn_probability"),
        ],
        name="keras_mlp",
    )
    # The validation loss is read as a metric of its own: the loss also holds the weight penalty.
    model.compile(
        optimizer=keras.optimizers.Adam(hyperparameters["learning_rate"]),
        loss="binary_crossentropy",
        metrics=[keras.metrics.BinaryCrossentropy(name="log_loss")],
    )
    return model


def predict_keras(model: Any, encoded: np.ndarray) -> np.ndarray:
    """Return churn probabilities (n,) float64 for encoded rows (n, d)."""
    probabilities = model.predict(encoded, batch_size=PREDICTION_BATCH_ROWS, verbose=0)
    return probabilities[:, 0].astype(np.float64)


def write_keras_files(model: Any, directory: Path) -> None:
    """Write Keras' own portable file, and the SavedModel that TF Serving takes (float32 rows in)."""
    model.save(directory / KERAS_FILE)
    model.export(directory / SAVED_MODEL_DIRECTORY, format="tf_saved_model", verbose=False)


def load_keras(path: Path) -> Any:
    """Load a .keras file; Keras' safe mode refuses code in it. Raises ValueError."""
    import keras

    return keras.models.load_model(path, compile=False, safe_mode=True)
