"""Split rows into train and test: stratified, exact, seeded, and blind to the order of rows and files.

A row's place depends on its features and the seed only. Rows with equal features always land on the same
side: otherwise the test set would hold rows the model was trained on.
"""

import numpy as np

from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.row_hashing import mix


def _shared_features(keys: np.ndarray) -> np.ndarray:
    """Return which rows share their key with another row, boolean (n,)."""
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(repeated):
        return np.zeros(len(keys), dtype=bool)
    position = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return repeated[position] == keys


def _choose_groups(keys: np.ndarray, labels: np.ndarray, test_fraction: float) -> np.ndarray:
    """Return which rows that share features go to test: whole groups, at most the fraction of each class."""
    if not len(keys):
        return np.zeros(0, dtype=bool)
    group_keys, group_of_row = np.unique(keys, return_inverse=True)
    counts = np.zeros((len(group_keys), 2), dtype=np.int64)
    np.add.at(counts, (group_of_row, labels), 1)
    room = np.floor(counts.sum(axis=0) * test_fraction).astype(np.int64)
    chosen = np.zeros(len(group_keys), dtype=bool)
    # The longest run of groups that fits is taken at once; then each further group that still fits.
    fits = (np.cumsum(counts, axis=0) <= room).all(axis=1)
    length = int(np.argmin(fits)) if not fits.all() else len(fits)
    chosen[:length] = True
    room = room - counts[:length].sum(axis=0)
    for group in range(length, min(len(group_keys), length + 10_000)):
        if (counts[group] <= room).all():
            chosen[group] = True
            room -= counts[group]
            if not room.any():
                break
    return chosen[group_of_row]


def choose_test_rows(
    feature_hashes: np.ndarray, labels: np.ndarray, test_fraction: float, seed: int
) -> tuple[np.ndarray, int]:
    """Return (is test, boolean (n,); number of rows that share their features with another row).

    Each class gives round(rows * test_fraction) rows to test, exactly, as long as rows with features of their
    own can make up the number. Raises InvalidInputError when a side would be left without a class.
    """
    keys = mix(feature_hashes, seed)
    is_shared = _shared_features(keys)
    is_test = np.zeros(len(keys), dtype=bool)
    is_test[is_shared] = _choose_groups(keys[is_shared], labels[is_shared], test_fraction)
    for label in (0, 1):
        wanted = round(int((labels == label).sum()) * test_fraction) - int(is_test[labels == label].sum())
        single = np.flatnonzero((labels == label) & ~is_shared)
        if 0 < wanted < len(single):
            is_test[single[np.argpartition(keys[single], wanted - 1)[:wanted]]] = True
        elif wanted > 0:
            is_test[single] = True
    for side, name in ((is_test, "test"), (~is_test, "train")):
        if len(np.unique(labels[side])) < 2:
            raise InvalidInputError(
                f"the {name} split would hold only one class ({len(labels):,} rows, test fraction"
                f" {test_fraction:g}, {len(np.unique(keys)):,} distinct feature rows); bring more data or"
                " change --test-fraction"
            )
    return is_test, int(is_shared.sum())
