"""Count every fault found in the data, keep a few examples of each, and refuse what exceeds a limit."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from include.data_contracts.data_quality_report import Example, Finding
from include.data_contracts.feature_schema import Limits
from sagemaker_jobs.job_entry import InvalidInputError

EXAMPLES_KEPT = 5
VALUE_LENGTH_SHOWN = 80
LineOfRow = Callable[[str, list[int]], dict[int, int]]


@dataclass(frozen=True)
class Cause:
    """What happens to rows or cells with this fault, its sentence, and the limit it counts against."""

    action: str
    sentence: str
    limit: str | None = None


CAUSES = {
    "ragged_row": Cause("dropped", "rows with another number of fields", "maximum_unreadable_share"),
    "blank_row": Cause("dropped", "rows without any value", "maximum_unreadable_share"),
    "repeated_header": Cause("dropped", "rows that repeat the header", "maximum_unreadable_share"),
    "missing_label": Cause("dropped", "rows without a label", "maximum_missing_label_share"),
    "unknown_label": Cause("dropped", "rows with an unknown label", "maximum_unknown_label_share"),
    "duplicate_row": Cause("dropped", "rows that repeat another row", "maximum_duplicate_share"),
    "duplicate_customer": Cause(
        "dropped", "rows that repeat a customer id with other values", "maximum_duplicate_share"
    ),
    "contradicting_labels": Cause(
        "dropped", "rows of customers who carry both labels", "maximum_contradicting_label_share"
    ),
    "missing_value": Cause("cleaned", "missing values", "maximum_null_share"),
    "invalid_number": Cause(
        "cleaned", "values that are not numbers, set to missing", "maximum_invalid_number_share"
    ),
    "infinite_number": Cause("cleaned", "infinite values, set to missing", "maximum_invalid_number_share"),
    "ambiguous_number": Cause(
        "cleaned",
        "numbers whose comma may be a decimal or a thousands mark, set to missing",
        "maximum_invalid_number_share",
    ),
    "fractional_number": Cause(
        "cleaned", "fractions in a column of whole numbers, set to missing", "maximum_invalid_number_share"
    ),
    "out_of_range": Cause(
        "cleaned", "values outside the schema's range, set to missing", "maximum_out_of_range_share"
    ),
    "reformatted_number": Cause("cleaned", "numbers with currency signs, spaces or decimal commas, read"),
    "filled_value": Cause("cleaned", "blank values filled by rule"),
    "unknown_level": Cause(
        "cleaned", "values that are no level of the schema, set to missing", "maximum_unknown_level_share"
    ),
    "respelled_level": Cause("cleaned", "levels in another spelling, read as the schema's"),
    "respelled_label": Cause("cleaned", "labels in another spelling, read as the schema's"),
    "renamed_column": Cause("cleaned", "headers in another spelling, read as the schema's"),
    "converted_text": Cause("cleaned", "files that were not plain UTF-8, converted"),
    "blank_line": Cause("cleaned", "blank lines, skipped"),
    "empty_file": Cause("warned", "files with a header and no rows"),
    "line_break_in_field": Cause("warned", "records with line breaks inside a quoted field"),
    "missing_id": Cause("warned", "rows without a customer id; repeats of them are found by whole rows only"),
    "suspicious_text": Cause("warned", "customer ids that look like a formula, markup or control characters"),
    "overlong_text": Cause("warned", "customer ids of more than 200 characters"),
    "contradiction": Cause("warned", "rows that break the rule"),
    "extra_column": Cause("warned", "columns that the schema does not know, ignored"),
    "label_in_extra_column": Cause("warned", "ignored columns that give the label away"),
    "shared_features": Cause(
        "warned", "rows that agree with another in all features (copies under new ids?), kept on one side"
    ),
    "no_signal": Cause("warned", "no feature tells the classes apart"),
}


@dataclass(frozen=True)
class Sighting:
    """One place of a fault: a data row of a file (from 0), or a line (from 1), or the file as a whole."""

    file: str
    value: str
    row: int | None = None
    line: int = 0


@dataclass(frozen=True)
class RowNumbers:
    """Which data rows of a file the entries of a batch are; `kept` lists them when some were left out."""

    file: str
    first_row: int
    kept: np.ndarray | None = None

    def row_of(self, entry: int) -> int:
        """Return the data row (from 0) of one entry."""
        return self.first_row + (entry if self.kept is None else int(self.kept[entry]))


@dataclass
class _Tally:
    count: int = 0
    examples: list[Sighting] = field(default_factory=list)
    detail: str = ""
    limit_share: float | None = None


def shorten(value: object) -> str:
    """Return a value as one short printable line."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[:1000])
    return text if len(text) <= VALUE_LENGTH_SHOWN else f"{text[: VALUE_LENGTH_SHOWN - 1]}…"


class ProblemLedger:
    """Running counts per (cause, column); examples hold data-row numbers until `line_of_row` names lines."""

    def __init__(self, limits: Limits) -> None:
        """Start empty, with the limits that `refuse_excess` applies."""
        self._limits = limits
        self._tallies: dict[tuple[str, str | None], _Tally] = {}
        self.rows_in = 0

    def add(
        self,
        cause: str,
        column: str | None,
        count: int,
        examples: Iterable[Sighting] = (),
        *,
        detail: str = "",
        limit_share: float | None = None,
    ) -> None:
        """Count `count` more and keep the first few examples; `column` is the rule's name for a rule."""
        tally = self._tallies.setdefault((cause, column), _Tally())
        tally.count += count
        tally.detail = detail or tally.detail
        tally.limit_share = limit_share if limit_share is not None else tally.limit_share
        tally.examples.extend(islice(examples, EXAMPLES_KEPT - len(tally.examples)))

    def add_rows(
        self,
        cause: str,
        column: str | None,
        mask: np.ndarray,
        rows: "RowNumbers",
        value_at: Callable[[int], object],
        **options: Any,
    ) -> None:
        """Count the true entries of `mask` (n,); `rows` tells which data row each entry is."""
        found = np.flatnonzero(mask)
        if len(found):
            first = found[:EXAMPLES_KEPT].tolist()
            examples = [Sighting(rows.file, str(value_at(entry)), rows.row_of(entry)) for entry in first]
            self.add(cause, column, len(found), examples, **options)

    def count(self, cause: str, column: str | None = None) -> int:
        """Return the count so far."""
        return self._tallies.get((cause, column), _Tally()).count

    def _limit(self, cause: str, tally: _Tally) -> float | None:
        name = CAUSES[cause].limit
        if tally.limit_share is not None:
            return tally.limit_share
        return getattr(self._limits, name) if name else None

    def refuse_excess(self, line_of_row: LineOfRow, source_names: Mapping[str, str]) -> None:
        """Raise InvalidInputError for the cause that exceeds its limit by most; name file, line and value.

        `source_names` are the headers of the columns, by which a person knows them.
        """
        worst: tuple[float, str, str | None, _Tally, float] | None = None
        for (cause, column), tally in self._tallies.items():
            limit = self._limit(cause, tally)
            share = tally.count / max(self.rows_in, 1)
            if limit is not None and share > limit and (worst is None or share - limit > worst[0]):
                worst = (share - limit, cause, column, tally, limit)
        if worst is None:
            return
        _, cause, subject, tally, limit = worst
        places = []
        if tally.examples:
            example = self._name_lines(tally, line_of_row)[0]
            places = [example.file, f"line {example.line}"] if example.line else [example.file]
        if subject:
            is_rule = cause == "contradiction"
            places.append(
                f"rule {subject!r}" if is_rule else f"column {source_names.get(subject, subject)!r}"
            )
        shown = f", first here: {example.value!r}" if tally.examples else ""
        detail = f" ({tally.detail})" if tally.detail else ""
        raise InvalidInputError(
            f"{', '.join(places)}: {tally.count:,} {CAUSES[cause].sentence}{detail}{shown}; at most"
            f" {limit:.4g} of the {self.rows_in:,} rows may be so: mend the data, or change the schema if"
            " they are right"
        )

    def _name_lines(self, tally: _Tally, line_of_row: LineOfRow) -> tuple[Example, ...]:
        wanted: dict[str, list[int]] = {}
        for seen in tally.examples:
            if seen.row is not None:
                wanted.setdefault(seen.file, []).append(seen.row)
        lines = {file: line_of_row(file, rows) for file, rows in wanted.items()}
        return tuple(
            Example(
                seen.file,
                seen.line if seen.row is None else lines[seen.file].get(seen.row, 0),
                shorten(seen.value),
            )
            for seen in tally.examples
        )

    def findings(self, line_of_row: LineOfRow) -> tuple[Finding, ...]:
        """Return all causes, dropped rows first, then by count."""
        findings = []
        for (cause, column), tally in self._tallies.items():
            kind = CAUSES[cause]
            is_rule = cause == "contradiction"
            where = f" {column}" if is_rule else f" in column {column}" if column else ""
            detail = f" ({tally.detail})" if tally.detail else ""
            findings.append(
                Finding(
                    cause=cause,
                    action=kind.action,
                    count=tally.count,
                    share=tally.count / max(self.rows_in, 1),
                    sentence=f"{tally.count:,} {kind.sentence}{where}{detail}",
                    column=None if is_rule else column,
                    examples=self._name_lines(tally, line_of_row),
                )
            )
        order = ("dropped", "warned", "cleaned")
        return tuple(sorted(findings, key=lambda found: (order.index(found.action), -found.count)))
