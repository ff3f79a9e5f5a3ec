"""NannyML's univariate drift calculator with its own defaults (Jensen-Shannon distance)."""

import nannyml
import pandas as pd


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], bool]:
    """Distance per column, and whether any column's alert is on.

    The reference is cut into chunks of a batch's size, because the default threshold comes from their spread;
    where both have as many rows it is cut into eight.
    """
    rows = min(len(current), len(reference) // 8)
    calculator = nannyml.UnivariateDriftCalculator(column_names=list(reference), chunk_size=rows)
    calculator.fit(reference)
    calculator.chunker = nannyml.chunk.SizeBasedChunker(chunk_size=len(current))
    result = calculator.calculate(current).filter(period="analysis").to_df()
    last = result.iloc[-1]
    found = {name: float(last[(name, "jensen_shannon", "value")]) for name in reference}
    return found, any(bool(last[(name, "jensen_shannon", "alert")]) for name in reference)
