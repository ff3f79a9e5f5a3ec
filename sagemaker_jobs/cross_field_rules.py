"""Apply a schema's cross-field rules to one batch of validated columns."""

from collections.abc import Mapping

import numpy as np

from include.data_contracts.feature_schema import (
    CategoricalColumn,
    Condition,
    FeatureSchema,
    FillRule,
    ImpliesRule,
    ProductRule,
)

Columns = Mapping[str, np.ndarray]


def _holds(condition: Condition, schema: FeatureSchema, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return (holds, known), boolean (n,): where a cell is missing only `blank` can be told."""
    values = columns[condition.column]
    column = schema.column(condition.column)
    is_missing = values < 0 if isinstance(column, CategoricalColumn) else np.isnan(values)
    if condition.blank:
        return is_missing, np.ones(len(values), dtype=bool)
    if isinstance(column, CategoricalColumn):
        codes = [column.level_names.index(level) for level in condition.levels]
        holds = np.zeros(len(values), dtype=bool)
        for code in codes:
            holds |= values == code
        return holds, ~is_missing
    holds = ~is_missing
    if condition.minimum is not None:
        holds &= values >= condition.minimum
    if condition.maximum is not None:
        holds &= values <= condition.maximum
    return holds, ~is_missing


def rows_to_fill(rule: FillRule, schema: FeatureSchema, columns: Columns, is_blank: np.ndarray) -> np.ndarray:
    """Return where a blank cell of the rule's column takes the rule's value, boolean (n,)."""
    holds, known = _holds(rule.when, schema, columns)
    return is_blank & holds & known


def rows_in_contradiction(
    rule: ImpliesRule | ProductRule, schema: FeatureSchema, columns: Columns
) -> np.ndarray:
    """Return where the rule is broken, boolean (n,); rows with a missing cell are never in contradiction."""
    if isinstance(rule, ImpliesRule):
        condition, condition_known = _holds(rule.condition, schema, columns)
        consequence, consequence_known = _holds(rule.consequence, schema, columns)
        broken = condition != consequence if rule.both_ways else condition & ~consequence
        return broken & condition_known & consequence_known
    product = columns[rule.factors[0]] * columns[rule.factors[1]]
    allowed = np.abs(product) * rule.tolerance_share + rule.tolerance
    # A comparison with NaN is False: a row with a missing number is not judged.
    return np.abs(columns[rule.column] - product) > allowed
