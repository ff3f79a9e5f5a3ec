"""Find rows that repeat a customer or another row, and customers who carry both labels."""

from dataclasses import dataclass

import numpy as np

from sagemaker_jobs.row_hashing import combine, mix


@dataclass(frozen=True)
class DuplicateRows:
    """Row indices to drop, by cause, and for each another row of its group to compare it with."""

    by_cause: dict[str, np.ndarray]
    originals: dict[str, np.ndarray]

    def keep_mask(self, row_count: int) -> np.ndarray:
        """Return which rows stay, boolean (row_count,)."""
        keep = np.ones(row_count, dtype=bool)
        for rows in self.by_cause.values():
            keep[rows] = False
        return keep


def find_duplicate_rows(
    labels: np.ndarray, id_hashes: np.ndarray, has_id: np.ndarray, feature_hashes: np.ndarray
) -> DuplicateRows:
    """Group rows by customer id, or by all values where there is no id; arrays of shape (n,).

    A customer with both labels is dropped altogether: nothing tells which label is right. Of other repeats
    the row with the smallest hash stays, so the choice does not depend on the order of files.
    """
    row_hashes = combine(feature_hashes, labels.astype(np.uint64), 901)
    keys = np.where(has_id, mix(id_hashes, 902), mix(row_hashes, 903))
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    empty = np.empty(0, dtype=np.int64)
    causes = ("contradicting_labels", "duplicate_row", "duplicate_customer")
    if not len(repeated):
        return DuplicateRows(dict.fromkeys(causes, empty), dict.fromkeys(causes, empty))
    position = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    rows = np.flatnonzero(repeated[position] == keys)
    rows = rows[np.lexsort((rows, row_hashes[rows], keys[rows]))]
    starts = np.flatnonzero(np.r_[True, keys[rows][1:] != keys[rows][:-1]])
    sizes = np.diff(np.r_[starts, len(rows)])
    row_labels = labels[rows]
    contradicts = np.minimum.reduceat(row_labels, starts) != np.maximum.reduceat(row_labels, starts)
    in_contradiction = np.repeat(contradicts, sizes)
    first_of_group = np.repeat(rows[starts], sizes)
    first_of_group[starts] = rows[starts + 1]
    is_first = np.zeros(len(rows), dtype=bool)
    is_first[starts] = True
    # Rows are sorted by hash within a customer: an exact repeat has the same hash as its predecessor.
    is_exact = np.r_[False, row_hashes[rows][1:] == row_hashes[rows][:-1]] & ~is_first
    masks = {
        "contradicting_labels": in_contradiction,
        "duplicate_row": is_exact & ~in_contradiction,
        "duplicate_customer": ~is_first & ~is_exact & ~in_contradiction,
    }
    found = {cause: np.sort(rows[mask]) for cause, mask in masks.items()}
    originals = {}
    for cause, mask in masks.items():
        order = np.argsort(rows[mask])
        originals[cause] = first_of_group[mask][order]
    return DuplicateRows(found, originals)
