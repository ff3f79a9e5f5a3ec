"""Sums of products of joint scores: what Spearman correlations of all pairs of columns need.

Scores are integers in [-255, 255] (reference mid-ranks), 0 for a missing value or an unseen level. Products
of four scores over a chunk stay below 2^53, so the matrix products are exact in float64 and in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]


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


def sum_products(names: Sequence[str], scores: npt.NDArray[np.float64], *, fourth: bool) -> JointMoments:
    """Sums over a chunk of at most 2^20 rows; `scores` is (d, rows) and holds whole numbers."""
    products = (scores @ scores.T).astype(np.int64)
    sums = scores.sum(axis=1).astype(np.int64)
    if not fourth:
        return JointMoments(tuple(names), scores.shape[1], sums, products)
    squared = scores * scores
    squares = (squared @ squared.T).astype(np.int64)
    cubes = (scores @ (squared * scores).T).astype(np.int64)
    return JointMoments(tuple(names), scores.shape[1], sums, products, squares, cubes)
