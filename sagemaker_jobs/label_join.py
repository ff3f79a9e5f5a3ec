"""Labels that came later, joined with scores by customer id.

Customers are kept as 64-bit hashes: 17 bytes per labelled customer, whatever the ids look like. Two of ten
million customers share a hash with a chance of three in a million.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.data_contracts.feature_schema import FeatureSchema
from include.drift_statistics.column_values import DictionaryColumn
from sagemaker_jobs.batch_columns import Cells
from sagemaker_jobs.batch_reading import OpenedBatch, UnreadableBatchError, open_batch, read_cells
from sagemaker_jobs.header_matching import match_label_header
from sagemaker_jobs.score_tables import ScorePart
from sagemaker_jobs.spelling_tables import LabelSpellings, NullTokens, as_text


@dataclass(frozen=True)
class JoinCounts:
    """What came of the labels: all in rows, but `matched` and `unmatched` in customers."""

    labels: int
    matched: int
    unmatched: int
    without_label: int
    without_id: int
    duplicate_labels: int
    contradicting_labels: int
    duplicate_predictions: int
    unscored: int


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Labels (0 or 1) and scores of matched customers, both (n,)."""

    labels: np.ndarray
    scores: np.ndarray
    counts: JoinCounts


def hash_ids(texts: Sequence[str]) -> np.ndarray:
    """Return one int64 per id, equal for equal ids within one process."""
    return np.fromiter((hash(text.strip()) for text in texts), np.int64, len(texts))


def id_texts(cells: Cells, row_count: int) -> list[str]:
    """Return the ids of a part as text; empty where there is none."""
    if cells is None:
        return [""] * row_count
    if isinstance(cells, DictionaryColumn):
        return [str(cells.levels[code]) for code in cells.codes.tolist()]
    return as_text(cells).to_pylist()


class LabelTable:
    """Known outcomes, one per customer; scores are filled in part by part."""

    def __init__(self, ids: np.ndarray, labels: np.ndarray, without_id: int, without_label: int) -> None:
        """Keep one label per id; customers with both labels are left out."""
        order = np.lexsort((labels, ids))
        ids, labels = ids[order], labels[order]
        is_first = np.ones(len(ids), dtype=bool)
        is_first[1:] = ids[1:] != ids[:-1]
        starts = np.flatnonzero(is_first)
        ends = np.append(starts[1:], len(ids)) - 1
        agrees = labels[starts] == labels[ends] if len(starts) else np.zeros(0, dtype=bool)
        self._ids, self._labels = ids[starts][agrees], labels[starts][agrees]
        self._scores = np.full(len(self._ids), np.nan)
        self._is_seen = np.zeros(len(self._ids), dtype=bool)
        rows_per_id = ends - starts + 1 if len(starts) else np.zeros(0, dtype=np.int64)
        self._contradicting = int(rows_per_id[~agrees].sum())
        self._duplicates = int((rows_per_id[agrees] - 1).sum())
        self._rows = len(ids) + without_id + without_label
        self._without_id, self._without_label = without_id, without_label
        self._duplicate_predictions = self._unscored = 0

    def add_scores(self, part: ScorePart) -> None:
        """Take over the scores of labelled customers; the first score of a customer counts."""
        if not len(self._ids):
            return
        hashes = hash_ids(part.ids)
        places = np.minimum(np.searchsorted(self._ids, hashes), len(self._ids) - 1)
        is_known = (self._ids[places] == hashes) & np.fromiter(map(bool, part.ids), bool, len(part.ids))
        rows = np.flatnonzero(is_known)
        unique, first = np.unique(places[rows], return_index=True)
        is_new = ~self._is_seen[unique]
        self._duplicate_predictions += len(rows) - int(is_new.sum())
        new, scores = unique[is_new], part.scores[rows[first[is_new]]]
        self._is_seen[new] = True
        self._scores[new] = scores
        self._unscored += int(np.isnan(scores).sum())

    def joined(self) -> LabelledScores:
        """Return labels and scores of the customers that have both."""
        has_score = ~np.isnan(self._scores)
        counts = JoinCounts(
            labels=self._rows,
            matched=int(has_score.sum()),
            unmatched=int((~self._is_seen).sum()),
            without_label=self._without_label,
            without_id=self._without_id,
            duplicate_labels=self._duplicates,
            contradicting_labels=self._contradicting,
            duplicate_predictions=self._duplicate_predictions,
            unscored=self._unscored,
        )
        return LabelledScores(self._labels[has_score].astype(np.float64), self._scores[has_score], counts)


def read_labels(files: Sequence[tuple[Path, str]], schema: FeatureSchema, work_directory: Path) -> LabelTable:
    """Read a table of customer ids and outcomes, spelled as in training.

    Raises UnreadableBatchError naming the file.
    """
    if schema.id_column is None:
        raise UnreadableBatchError(f"schema {schema.name} has no id column to join labels by")
    opened = open_batch(files, schema, work_directory, match_label_header)
    return _collect(opened, schema, schema.id_column.name)


def _collect(opened: OpenedBatch, schema: FeatureSchema, id_name: str) -> LabelTable:
    is_null = NullTokens(schema.null_tokens)
    spellings = LabelSpellings(schema.target, is_null)
    ids: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
    labels: list[np.ndarray] = [np.empty(0, dtype=np.int8)]
    without_id = without_label = 0
    for cells, row_count in read_cells(opened, (id_name, schema.target.name)):
        texts = id_texts(cells[id_name], row_count)
        known = np.fromiter((not is_null(text) for text in texts), bool, row_count)
        codes = _label_codes(cells[schema.target.name], spellings)
        without_id += int((~known).sum())
        without_label += int((known & (codes < 0)).sum())
        rows = np.flatnonzero(known & (codes >= 0))
        ids.append(hash_ids([texts[row] for row in rows.tolist()]))
        labels.append(codes[rows].astype(np.int8))
    return LabelTable(np.concatenate(ids), np.concatenate(labels), without_id, without_label)


def _label_codes(cells: Cells, spellings: LabelSpellings) -> np.ndarray:
    if isinstance(cells, DictionaryColumn):
        return spellings.judge([str(text) for text in cells.levels])[0][cells.codes]
    return spellings.read(as_text(cells))[0]


def join_scores(table: LabelTable, parts: Iterable[ScorePart]) -> LabelledScores:
    """Join a table with all parts of a table of scores."""
    for part in parts:
        table.add_scores(part)
    return table.joined()
