"""How the CPU time of a check grows with the rows, out of the tables that speed.py wrote.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/drift/growth.py`, from the project's root, writes
results/growth.md: the exponent of a power law between each size of at least 100,000 rows and the next.
"""

import math
import re
from itertools import pairwise

from markdown_tables import RESULTS, write_table

SMALLEST_ROWS = 100_000
_LINE = re.compile(r"^\| ([\d,]+) \| [\d.]+ \([\d.]+\) / ([\d.]+) \(")


def cpu_seconds() -> dict[int, float]:
    """Return rows and the smallest CPU seconds of a check, from every table of speed.py."""
    lines = [line for path in RESULTS.glob("speed_*.md") for line in path.read_text().splitlines()]
    found = {}
    for match in filter(None, map(_LINE.match, lines)):
        rows = int(match[1].replace(",", ""))
        if rows >= SMALLEST_ROWS:
            found[rows] = float(match[2])
    return dict(sorted(found.items()))


def main() -> None:
    """Write the table."""
    times = cpu_seconds()
    sizes = list(times)
    pairs = [*pairwise(sizes), (sizes[0], sizes[-1])]
    rows = []
    for few, many in pairs:
        exponent = math.log(times[many] / times[few]) / math.log(many / few)
        rows.append([f"{few:,}", f"{many:,}", f"{times[few]}", f"{times[many]}", f"{exponent:.2f}"])
    write_table(
        "growth",
        "Growth of the CPU time of a check against a stored profile",
        ["rows", "to rows", "CPU s", "to CPU s", "exponent"],
        rows,
        "Smallest of 7 turns up to a million rows, single runs beyond. Target: at most 1.05 over all.",
    )


if __name__ == "__main__":
    main()
