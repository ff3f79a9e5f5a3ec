"""Write benchmark results as Markdown, with the machine and the command they came from."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy

RESULTS = Path(__file__).resolve().parent / "results"


def write_table(
    name: str, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str
) -> None:
    """Write one table to results/<name>.md and print it."""
    lines = [f"# {title}", "", note, ""]
    lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}"
    lines += ["", f"{versions}, {os.cpu_count()} cores."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), flush=True)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    z = 1.959963984540054
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)
