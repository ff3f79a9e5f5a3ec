"""Exact tests of what ranks hardly see: a few extreme rows, and rows piled up at one value."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from include.drift_statistics.exact_counts import share_test

TAIL_SHARES = (0.01, 0.002)
SMALLEST_ATOM = 4  # pooled rows in a cell; fewer cannot be significant after the correction for all cells
SCANNED_CELLS = 8


@dataclass(frozen=True)
class ShareChange:
    """Largest change of a share among several regions; `p_value` is corrected for all of them.

    `hits` is the exact test's statistic: rows of the batch in the region.
    """

    p_value: float
    region: str
    cell: int
    direction: str
    hits: int
    reference_share: float
    current_share: float

    @property
    def change(self) -> float:
        """Absolute change of the share."""
        return abs(self.current_share - self.reference_share)


NO_CHANGE = ShareChange(1.0, "none", -1, "same", 0, 0.0, 0.0)


def tail_test(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> ShareChange:
    """Exact test of the outermost 1 % and 0.2 % of the pooled rows on both sides, Bonferroni over the four.

    The regions are chosen from the pooled counts alone, so each hypergeometric p-value is exact given them; a
    region holds whole cells, and the outermost cell always.
    """
    pooled = reference + current
    rows_reference, rows_current = int(reference.sum()), int(current.sum())
    results = []
    for side, order in (("upper", slice(None, None, -1)), ("lower", slice(None))):
        running = np.cumsum(pooled[order])
        seen = np.cumsum(current[order])
        for share in TAIL_SHARES:
            place = _region_end(running, share * int(running[-1]))
            hits, total = int(seen[place]), int(running[place])
            p_value, direction = share_test(hits, rows_current, total - hits, rows_reference)
            cell = len(pooled) - 1 - place if side == "upper" else place
            shares = ((total - hits) / rows_reference, hits / rows_current)
            results.append(ShareChange(p_value, f"{side} {share:.1%}", cell, direction, hits, *shares))
    best = min(results, key=lambda result: result.p_value)
    return _corrected(best, len(results))


def _region_end(running: npt.NDArray[np.int64], target: float) -> int:
    first = int(np.searchsorted(running, 1))
    place = int(np.searchsorted(running, target, side="right")) - 1
    return max(first, place)


def atom_test(
    reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64], *, intervals: bool
) -> ShareChange:
    """Exact test of every cell (a value or a narrow interval), Bonferroni over them.

    Finds a pile of rows at one value, new or vanished, whether or not the reference ever had it. Cells are
    screened by their likelihood ratio and only the best are tested exactly. The correction counts every
    single value with enough pooled rows and, when odd cells are `intervals`, all of those: the reference
    chose their ends, so a crowded interval is crowded with current rows. Given the ends, the number of
    current rows between r + 1 reference rows has exactly the tail used here.
    """
    pooled = reference + current
    cells = np.flatnonzero(pooled >= SMALLEST_ATOM)
    rows_reference, rows_current = int(reference.sum()), int(current.sum())
    if len(cells) == 0 or np.count_nonzero(pooled) < 2:
        return NO_CHANGE
    expected = pooled[cells] * (rows_current / (rows_reference + rows_current))
    observed = current[cells]
    gain = observed * np.log(np.maximum(observed, 0.5) / expected) - (observed - expected)
    best = NO_CHANGE
    for cell in cells[np.argsort(-gain, kind="stable")[:SCANNED_CELLS]].tolist():
        hits, others = int(current[cell]), int(reference[cell])
        p_value, direction = share_test(hits, rows_current, others, rows_reference)
        if p_value < best.p_value:
            best = ShareChange(
                p_value, "one value", cell, direction, hits, others / rows_reference, hits / rows_current
            )
    looks = len(reference) // 2 + int((cells % 2 == 0).sum()) if intervals else len(cells)
    return _corrected(best, looks)


def _corrected(best: ShareChange, looks: int) -> ShareChange:
    return replace(best, p_value=min(1.0, best.p_value * looks))
