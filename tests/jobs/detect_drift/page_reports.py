"""Reports as the job makes them, from seeded tables, and a reader of the page they become."""

from html.parser import HTMLParser

import numpy as np

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.profiles import build_profile, count_rows
from sagemaker_jobs.drift_page import render_drift_page

DATE = "2026-11-24"
VOID = {"meta", "br", "wbr"}
SPECS = {
    "tenure": ColumnSpec("numeric"),
    "charge": ColumnSpec("numeric"),
    "senior": ColumnSpec("numeric"),
    "contract": ColumnSpec("categorical"),
}
QUIET = {
    "date": DATE,
    "status": "quiet",
    "transition": "none",
    "since": None,
    "columns": [],
    "changes": [],
    "sentence": f"{DATE}: quiet",
}


class Page(HTMLParser):
    """Checks that elements are balanced; keeps texts by the elements they lie in, and all attributes."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self._open, self._texts, self.tags, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or "", []))

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        opened, style, parts = self._open.pop()
        assert opened == tag
        self._texts.append((tag, style, "".join(parts)))

    def handle_data(self, data):
        for _, _, parts in self._open:
            parts.append(data)

    def texts(self, tag, style=""):
        """Whole texts of all elements of a kind, of a class when one is given, in order of their ends."""
        return [
            text for kind, found, text in self._texts if kind == tag and (not style or style in found.split())
        ]

    @property
    def body(self):
        return self.texts("body")[0]


def table(rows, seed):
    rng = np.random.default_rng(seed)
    return {
        "tenure": rng.integers(0, 73, rows),
        "charge": rng.normal(64, 30, rows),
        "senior": rng.integers(0, 2, rows),
        "contract": rng.choice(np.array(["month", "year"], dtype=object), rows),
    }


def mapping(report, **changes):
    """What the job writes around the report of the features."""
    return {
        **report.to_mapping(),
        "rule": {**report.rule, "yearly_false_alerts": 0.1, "domain_classifier": False},
        "batch": {"date": DATE, "files": 1, "bytes": 9, "columns_missing": [], "columns_extra": []},
        "model": {"version": "telecom-churn/3", "data_origin": "real"},
        "predictions": None,
        "performance": None,
        "domain_classifier": None,
        "alert": QUIET,
        "history": [],
        **changes,
    }


def page_of(reference, columns, scores=None, **changes):
    """The page of a batch of these columns."""
    current = count_rows(reference.layout, columns)
    report = mapping(compare_profiles(reference, current), **changes)
    return Page(render_drift_page(report, reference, current, scores))


def page_of_columns(specs, before, now, **changes):
    """The page of a batch held against a reference of its own."""
    return page_of(build_profile(before, specs), now, **changes)


def history_day(number, verdict="no_drift", status="quiet", **changes):
    return {
        "date": f"2026-11-{number:02d}",
        "verdict": verdict,
        "rows": 900,
        "status": status,
        "effects": {"tenure": number / 100, "charge": None},
        "predicted_churn_rate": 0.2 + number / 1000,
        "accuracy": 0.8,
        **changes,
    }
