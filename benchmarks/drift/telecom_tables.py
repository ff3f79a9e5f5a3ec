"""Synthetic telecom tables: 6 numeric and 6 categorical columns, and named shifts of them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.column_values import DictionaryColumn

Table = dict[str, Any]
REGIONS = 50
NUMERIC = ("tenure", "charge", "usage", "calls", "age", "satisfaction")
LEVELS: Mapping[str, tuple[float, ...]] = {
    "contract": (0.55, 0.21, 0.24),
    "internet": (0.34, 0.44, 0.22),
    "phone": (0.9, 0.1),
    "payment": (0.34, 0.23, 0.22, 0.21),
    "paperless": (0.59, 0.41),
    "region": tuple((np.arange(REGIONS, 0, -1) ** 0.7).tolist()),
}
SPECS = {name: ColumnSpec("numeric") for name in NUMERIC} | {
    name: ColumnSpec("categorical") for name in LEVELS
}


def draw(generator: np.random.Generator, rows: int, *, correlation: float = 0.3, **mixes: Any) -> Table:
    """Rows of the table without drift; charge and usage depend on each other through a normal copula."""
    first = generator.standard_normal(rows)
    second = correlation * first + np.sqrt(1 - correlation**2) * generator.standard_normal(rows)
    table: Table = {
        "tenure": generator.integers(0, 73, rows),
        "charge": 65 + 30 * first,
        "usage": np.exp(3 + 0.8 * second),
        "calls": generator.poisson(3.0, rows),
        "age": generator.normal(45, 15, rows),
        "satisfaction": generator.integers(1, 6, rows),
    }
    for name, shares in LEVELS.items():
        table[name] = draw_levels(generator, rows, mixes.get(name, shares))
    return table


def draw_levels(generator: np.random.Generator, rows: int, shares: tuple[float, ...]) -> DictionaryColumn:
    """One categorical column; level names are letters and numbers."""
    edges = np.cumsum(np.array(shares) / np.sum(shares))
    codes = np.searchsorted(edges[:-1], generator.random(rows), side="right")
    return DictionaryColumn(codes, tuple(f"level {place}" for place in range(len(shares))))


def _changed(column: str, change: Callable[[np.random.Generator, Any], Any]) -> Callable[..., Table]:
    def shifted(generator: np.random.Generator, rows: int) -> Table:
        table = draw(generator, rows)
        table[column] = change(generator, table[column])
        return table

    return shifted


def _replaced(share: float, value: Callable[[Any], Any]) -> Callable[[np.random.Generator, Any], Any]:
    def replace(generator: np.random.Generator, column: Any) -> Any:
        column = np.array(column, dtype=np.float64)
        chosen = generator.random(len(column)) < share
        column[chosen] = value(column[chosen])
        return column

    return replace


def _mixed(column: str, moved: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Table]:
    shares = tuple(moved(np.array(LEVELS[column])).tolist())
    return lambda generator, rows: draw(generator, rows, **{column: shares})


def _move(amount: float, source: int, target: int) -> Callable[[np.ndarray], np.ndarray]:
    def moved(shares: np.ndarray) -> np.ndarray:
        shares = shares.copy()
        shares[source] -= amount
        shares[target] += amount
        return shares

    return moved


def _region_shift(shares: np.ndarray) -> np.ndarray:
    """Three points of probability onto one small region, taken from all in proportion."""
    shares = shares / shares.sum() * 0.97
    shares[40] += 0.03
    return shares


def _new_level(generator: np.random.Generator, column: DictionaryColumn) -> DictionaryColumn:
    codes = np.where(generator.random(len(column.codes)) < 0.01, len(column.levels), column.codes)
    return DictionaryColumn(codes, (*column.levels, "never seen"))


# The shifts of the published table of power, in its order.
SHIFTS: Mapping[str, Callable[[np.random.Generator, int], Table]] = {
    "mean + 0.1 sd": _changed("charge", lambda _, x: x + 3.0),
    "contract mix 5 points": _mixed("contract", _move(0.05, 0, 1)),
    "usage x 1.1": _changed("usage", lambda _, x: x * 1.1),
    "region 3 points of 50 levels": _mixed("region", _region_shift),
    "sd x 1.1": _changed("charge", lambda _, x: 65 + (x - 65) * 1.1),
    "2 % of usage x 20": _changed("usage", _replaced(0.02, lambda x: x * 20)),
    "2 % zeros": _changed("usage", _replaced(0.02, lambda x: x * 0)),
    "missing 0 to 3 %": _changed("usage", _replaced(0.03, lambda x: x * np.nan)),
    "correlation 0.3 to 0.5": lambda generator, rows: draw(generator, rows, correlation=0.5),
    "tenure x 3": _changed("tenure", lambda _, x: x * 3),
    "new level 1 %": _changed("region", _new_level),
}

# Drawn after the rule was frozen; nothing was tuned on them.
UNTUNED_SHIFTS: Mapping[str, Callable[[np.random.Generator, int], Table]] = {
    "age: a fifth 10 years younger": _changed("age", _replaced(0.2, lambda x: x - 10)),
    "charge clipped at 100": _changed("charge", lambda _, x: np.minimum(x, 100.0)),
    "charge rounded to whole": _changed("charge", lambda _, x: np.round(x)),
    "calls: Poisson 3 to 3.3": _changed("calls", lambda generator, x: generator.poisson(3.3, len(x))),
    "age: two humps, same mean and sd": _changed(
        "age", lambda generator, x: 45 + np.sign(x - 45) * 12 + generator.normal(0, 9, len(x))
    ),
    "1 % of charge negative": _changed("charge", _replaced(0.01, lambda x: -np.abs(x))),
    "payment mix 4 points": _mixed("payment", _move(0.04, 3, 0)),
    "satisfaction: 5 % of threes become fives": _changed(
        "satisfaction", lambda generator, x: np.where((x == 3) & (generator.random(len(x)) < 0.25), 5, x)
    ),
    "twenty smallest regions lose a third": _mixed(
        "region", lambda shares: np.where(np.arange(REGIONS) >= 30, shares * 2 / 3, shares)
    ),
    "age heavy-tailed (t, 4 degrees)": _changed(
        "age", lambda generator, x: 45 + 15 * generator.standard_t(4, len(x)) / np.sqrt(2)
    ),
}

# Rows piled up at one new value in the middle, where it moves no tail and hardly a mean.
PILES: Mapping[str, Callable[[np.random.Generator, int], Table]] = {
    "1.8 % of charge at one value": _changed("charge", _replaced(0.018, lambda x: x * 0 + 71.234)),
}
