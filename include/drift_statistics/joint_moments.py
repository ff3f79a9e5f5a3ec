"""Sums of products of joint scores: what Spearman correlations of all pairs of columns need.

Scores are integers in [-255, 255] (reference mid-ranks), 0 for a missing value or an unseen level. Products
of four scores over a chunk stay below 2^53, so the matrix products are exact in float64 and in any order;
products of two over 256 rows stay below 2^24, so those are exact in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from include.drift_statistics.row_buffers import BUFFERS

Matrix = npt.NDArray[np.int64]

BLOCK_ROWS = 256


@dataclass(frozen=True, eq=False)
class JointMoments:
    """Sums over rows for d columns: scores (d), products (d, d) and, for a reference, fourth moments (d, d).

    `squares[i, j]` sums x_i^2 x_j^2 and `cubes[i, j]` sums x_i x_j^3. int64 holds 2e9 rows.
    """

    names: tuple[str, ...]
    rows: int
    sums: Matrix
    products: Matrix
    squares: Matrix | None = None
    cubes: Matrix | None = None

    def merge(self, other: "JointMoments") -> "JointMoments":
        """Sums of both parts; fourth moments survive only when both parts have them."""
        squares = cubes = None
        if self.squares is not None and other.squares is not None:
            squares = self.squares + other.squares
        if self.cubes is not None and other.cubes is not None:
            cubes = self.cubes + other.cubes
        return JointMoments(
            self.names,
            self.rows + other.rows,
            self.sums + other.sums,
            self.products + other.products,
            squares,
            cubes,
        )


def empty_moments(names: Sequence[str], *, fourth: bool) -> JointMoments:
    """Sums over no rows."""
    square = np.zeros((len(names), len(names)), dtype=np.int64)
    sums = np.zeros(len(names), dtype=np.int64)
    return JointMoments(tuple(names), 0, sums, square, square if fourth else None, square if fourth else None)


def score_rows(columns: int, rows: int) -> npt.NDArray[np.float32]:
    """The calling thread's buffer for the scores of a chunk: (columns, rows up to a whole number of blocks).

    Not cleared but for the rows beyond the chunk, which are zero.
    """
    padded = -(-rows // BLOCK_ROWS) * BLOCK_ROWS
    scores = BUFFERS.rows("scores", columns * padded, np.float32).reshape(columns, padded)
    scores[:, rows:] = 0
    return scores


def sum_products(
    names: Sequence[str], scores: npt.NDArray[np.float32], rows: int, *, fourth: bool
) -> JointMoments:
    """Sums over a chunk of at most 2^16 rows; `scores` is `score_rows` filled with whole numbers.

    No sum of scores over a chunk, or of products over a block of 256 rows, reaches 2^24: both are exact in
    single precision, at twice the speed of double.
    """
    blocks = scores.reshape(len(names), -1, BLOCK_ROWS)
    in_blocks = np.matmul(blocks.transpose(1, 0, 2), blocks.transpose(1, 2, 0))
    products = in_blocks.sum(axis=0, dtype=np.float64).astype(np.int64)
    sums = scores.sum(axis=1).astype(np.int64)
    if not fourth:
        return JointMoments(tuple(names), rows, sums, products)
    exact = scores.astype(np.float64)
    squared = exact * exact
    squares = (squared @ squared.T).astype(np.int64)
    cubes = (exact @ (squared * exact).T).astype(np.int64)
    return JointMoments(tuple(names), rows, sums, products, squares, cubes)
