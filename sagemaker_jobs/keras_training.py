"""Train the Keras churn model: seeded, stopped early on held-out rows, resumable from a checkpoint per epoch.

A managed spot instance may be taken away at any moment, and the training toolkit does not forward SIGTERM to
the script: so the state after each epoch is kept, where SageMaker has mounted a checkpoint directory.
"""

import hashlib
import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_jobs.job_entry import report_progress, write_text_atomically
from sagemaker_jobs.keras_churn_model import build_keras_model, predict_keras, write_keras_files
from sagemaker_jobs.training_log import TrainingLog

EXIT_STOPPED = 143
PROGRESS_FILE = "progress.json"


@dataclass
class _Progress:
    """Where a training stands; epochs count from 1, `best_log_loss` is on the rows kept aside."""

    epoch: int = 0
    best_epoch: int = 0
    best_log_loss: float = float("inf")

    def is_over(self, max_epochs: int, patience_epochs: int) -> bool:
        """Tell whether there is nothing left to train."""
        return self.epoch >= max_epochs or self.epoch - self.best_epoch >= patience_epochs


def fit_keras_model(
    settings: Any, encoded: np.ndarray, labels: np.ndarray, log: TrainingLog
) -> tuple[Callable[[Path], None], Callable[[np.ndarray], np.ndarray]]:
    """Return what writes the model's files, and what predicts encoded rows (m, d) as probabilities (m,).

    `settings` is a TrainingSettings. Deterministic for a seed when not interrupted. On SIGTERM the epoch is
    finished, its checkpoint kept, and the process ended with exit code 143.
    """
    model = train_keras_model(settings, encoded, labels, log)
    return lambda directory: write_keras_files(model, directory), lambda rows: predict_keras(model, rows)


def train_keras_model(settings: Any, encoded: np.ndarray, labels: np.ndarray, log: TrainingLog) -> Any:
    """Train until the patience or the epochs are used up; return the model of the best epoch."""
    import keras
    import tensorflow

    keras.utils.set_random_seed(settings.seed % 2**32)
    tensorflow.config.experimental.enable_op_determinism()
    hyperparameters = settings.hyperparameters
    is_validation = _choose_validation_rows(labels, hyperparameters["validation_fraction"], settings.seed)
    checkpoint = Checkpoint(settings.checkpoint_dir, _fingerprint(settings, encoded, labels))
    model = build_keras_model(encoded.shape[1], hyperparameters)
    model, progress, best_weights = checkpoint.restore(model)
    stop = _request_stop_on_sigterm()
    train_rows, held_rows = encoded[~is_validation], encoded[is_validation]
    train_labels, held_labels = (labels[rows].astype(np.float32) for rows in (~is_validation, is_validation))
    while not progress.is_over(hyperparameters["max_epochs"], hyperparameters["patience_epochs"]):
        # Order and dropout of an epoch depend on seed and epoch alone: a resumed training sees the same ones.
        order = np.random.default_rng([settings.seed, progress.epoch]).permutation(len(train_rows))
        _seed_dropout(model, settings.seed, progress.epoch)
        batch_size = hyperparameters["batch_size"]
        history = model.fit(
            train_rows[order], train_labels[order, None], batch_size=batch_size, shuffle=False, verbose=0
        )
        held_loss = _compute_log_loss(held_labels, predict_keras(model, held_rows))
        progress.epoch += 1
        if held_loss < progress.best_log_loss:
            progress.best_epoch, progress.best_log_loss = progress.epoch, held_loss
            best_weights = model.get_weights()
        checkpoint.save(model, progress, best_weights)
        _report_epoch(log, progress, history.history["log_loss"][-1], held_loss)
        _end_if_asked(stop, checkpoint, progress)
    model.set_weights(best_weights)
    text = f"keras_mlp on {len(train_rows)} rows, best of {progress.epoch} epochs: {progress.best_epoch}"
    log.stage("fit", text, epochs=progress.epoch, best_epoch=progress.best_epoch)
    log.stage("calibrate", f"none: stopped early by log loss on {len(held_rows)} rows kept aside")
    checkpoint.remove()
    return model


def _seed_dropout(model: Any, seed: int, epoch: int) -> None:
    for number, layer in enumerate(model.layers):
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(np.random.SeedSequence([seed, epoch, number]).generate_state(2))


def _choose_validation_rows(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return a boolean mask (n,) that holds `fraction` of each class, at least one row, never all rows."""
    generator = np.random.default_rng(seed)
    is_chosen = np.zeros(len(labels), dtype=bool)
    for label in (0, 1):
        rows = generator.permutation(np.flatnonzero(labels == label))
        is_chosen[rows[: min(max(1, round(fraction * len(rows))), len(rows) - 1)]] = True
    return is_chosen


def _compute_log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    epsilon = np.finfo(np.float32).eps
    clipped = np.clip(probabilities, epsilon, 1 - epsilon)
    return float(-np.mean(np.where(labels > 0, np.log(clipped), np.log1p(-clipped))))


def _report_epoch(log: TrainingLog, progress: _Progress, train_loss: float, held_loss: float) -> None:
    text = f"epoch {progress.epoch}: log loss {train_loss:.4f}, on rows kept aside {held_loss:.4f}"
    log.stage("epoch", text, epoch=progress.epoch, log_loss=train_loss, held_out_log_loss=held_loss)


def _request_stop_on_sigterm() -> list[int]:
    """Return a list that a SIGTERM makes non-empty; the epoch under way is finished first."""
    received: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    return received


def _end_if_asked(stop: list[int], checkpoint: "Checkpoint", progress: _Progress) -> None:
    if stop:
        kept = f"checkpoint in {checkpoint.directory}" if checkpoint.directory else "no checkpoint directory"
        report_progress("stopped", f"SIGTERM received; ended after epoch {progress.epoch}, {kept}")
        raise SystemExit(EXIT_STOPPED)


def _fingerprint(settings: Any, encoded: np.ndarray, labels: np.ndarray) -> str:
    """Return a digest of everything a training depends on; a checkpoint of another training is not taken."""
    digest = hashlib.sha256(json.dumps([settings.hyperparameters, settings.seed], sort_keys=True).encode())
    digest.update(np.ascontiguousarray(encoded))
    digest.update(np.ascontiguousarray(labels))
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """State after the last epoch in `directory`; does nothing where `directory` is None.

    `progress.json` is written last and names the other files, so an interrupted save leaves the one before.
    """

    directory: Path | None
    fingerprint: str

    def save(self, model: Any, progress: _Progress, best_weights: list[np.ndarray]) -> None:
        """Keep model, optimizer state, best weights and progress of one epoch."""
        if self.directory is None:
            return
        name = f"epoch-{progress.epoch:05}"
        target = self.directory / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        model.save(target / "model.keras")
        np.savez(target / "best_weights.npz", *best_weights)
        content = {"fingerprint": self.fingerprint, "directory": name, **vars(progress)}
        write_text_atomically(self.directory / PROGRESS_FILE, json.dumps(content) + "\n")
        for other in self.directory.glob("epoch-*"):
            if other.name != name:
                shutil.rmtree(other)

    def restore(self, new_model: Any) -> tuple[Any, _Progress, list[np.ndarray]]:
        """Return model, progress and best weights of the last epoch; the new model's when there is none."""
        start = new_model, _Progress(), new_model.get_weights()
        if self.directory is None or not (self.directory / PROGRESS_FILE).is_file():
            return start
        import keras

        try:
            content = json.loads((self.directory / PROGRESS_FILE).read_text(encoding="utf-8"))
            if content["fingerprint"] != self.fingerprint:
                report_progress("resume", "the checkpoint is of another training; starting anew")
                return start
            source = self.directory / content["directory"]
            model = keras.models.load_model(source / "model.keras", safe_mode=True)
            with np.load(source / "best_weights.npz", allow_pickle=False) as arrays:
                best_weights = [arrays[name] for name in arrays.files]
            progress = _Progress(content["epoch"], content["best_epoch"], content["best_log_loss"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            report_progress("resume", f"the checkpoint cannot be read ({error}); starting anew")
            return start
        report_progress("resume", f"continuing after epoch {progress.epoch}")
        return model, progress, best_weights

    def remove(self) -> None:
        """Forget the state of a training that has ended; the next one starts anew."""
        if self.directory is not None:
            (self.directory / PROGRESS_FILE).unlink(missing_ok=True)
            for directory in self.directory.glob("epoch-*"):
                shutil.rmtree(directory)
