"""The page is read as a browser reads it: parsed, in order, with every text where it belongs."""

from html.parser import HTMLParser

import numpy as np
import pytest

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores
from include.drift_statistics.profiles import build_profile, count_rows
from sagemaker_jobs.drift_page import MOST_MULTIPLES, render_drift_page, sort_by_importance
from sagemaker_jobs.drift_page_words import next_steps, probability

HOSTILE = '<script>alert("x")</script>'
VOID = {"meta", "br"}
SPECS = {
    "tenure": ColumnSpec("numeric"),
    "charge": ColumnSpec("numeric"),
    "senior": ColumnSpec("numeric"),
    "contract": ColumnSpec("categorical"),
}


class Page(HTMLParser):
    """Checks that elements are balanced and keeps the texts of each kind of element."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.tags = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def text_of(self, tag):
        return [data for owner, data in self.texts if owner == tag]


def table(rows, seed, levels=("month", "year")):
    rng = np.random.default_rng(seed)
    return {
        "tenure": rng.integers(0, 73, rows),
        "charge": rng.normal(64, 30, rows),
        "senior": rng.integers(0, 2, rows),
        "contract": rng.choice(np.array(levels, dtype=object), rows),
    }


def mapping(report, **changes):
    return {
        **report.to_mapping(),
        "batch": {"date": "2026-11-24", "files": 1, "bytes": 9, "columns_missing": [], "columns_extra": []},
        "model": {"version": "telecom-churn/3", "data_origin": "real"},
        "predictions": None,
        "performance": None,
        "domain_classifier": None,
        "alert": {
            "date": "2026-11-24", "status": "quiet", "transition": "none", "since": None,
            "columns": [], "changes": [], "sentence": "2026-11-24: quiet",
        },
        "history": [],
        **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    return build_profile(table(4000, 1), SPECS)


def page_of(reference, columns, **changes):
    current = count_rows(reference.layout, columns)
    report = mapping(compare_profiles(reference, current), **changes)
    html = render_drift_page(report, reference, current)
    return Page(html), html, report


def test_page_when_tenure_is_tripled_then_says_drift_first_and_by_how_much(reference):
    columns = table(1000, 2)
    columns["tenure"] = columns["tenure"] * 3
    page, html, _ = page_of(reference, columns)
    assert page.text_of("h1") == ["▲ Drift"]
    assert "mean 36" in html[: html.index("What to do next")]
    assert html.index("<h1>") < html.index("What to do next") < html.index("Every feature")


def test_page_when_nothing_changed_then_there_is_nothing_to_do(reference):
    page, _, _ = page_of(reference, table(1000, 2))
    assert page.text_of("h1") == ["✓ No drift"]
    assert "Nothing to do." in page.text_of("li")


def test_page_when_the_data_are_broken_then_forbids_retraining(reference):
    columns = table(1000, 2)
    columns["charge"][:300] = np.nan
    page, _, report = page_of(reference, columns)
    assert page.text_of("h1") == ["✕ Broken data"]
    assert "Do not retrain" in next_steps(report)[0]


def test_page_when_shown_then_has_each_feature_once_in_the_table_and_once_as_a_chart(reference):
    page, _, _ = page_of(reference, table(1000, 2))
    for name in SPECS:
        assert page.text_of("th").count(name) == 1
        assert page.text_of("h3").count(name) == 1


def test_page_when_one_feature_drifted_then_it_stands_first(reference):
    columns = table(1000, 2)
    columns["contract"] = np.array(["year"] * 700 + ["month"] * 300, dtype=object)
    page, _, report = page_of(reference, columns)
    assert sort_by_importance(report["features"])[0]["name"] == "contract"
    assert page.text_of("h3")[0] == "contract"


def test_page_when_names_are_hostile_then_nothing_of_them_becomes_markup():
    specs = {HOSTILE: ColumnSpec("categorical"), "n": ColumnSpec("numeric")}
    reference = build_profile({HOSTILE: ["a"] * 500 + ["b"] * 500, "n": np.arange(1000)}, specs)
    columns = {HOSTILE: [HOSTILE] * 200 + ["a"] * 800, "n": np.arange(1000)}
    page, html, _ = page_of(reference, columns)
    assert "<script" not in html
    assert any(HOSTILE in data for _, data in page.texts)


def test_page_when_it_is_read_then_loads_nothing_from_outside(reference):
    page, html, _ = page_of(reference, table(1000, 2))
    assert not [attrs for _, attrs in page.tags if "src" in attrs or "href" in attrs]
    assert "url(" not in html


def test_page_when_the_batch_could_not_be_read_then_shows_the_reference_alone(reference):
    empty = count_rows(reference.layout, {name: [] for name in SPECS})
    report = mapping(
        compare_profiles(reference, empty), verdict="data_break", sentence="batch.csv: an HTML page"
    )
    page = Page(render_drift_page(report, reference, None))
    assert page.text_of("h1") == ["✕ Broken data"]
    assert "batch.csv: an HTML page" in page.text_of("p")


@pytest.mark.parametrize("part", ["What the model says", "How right the model is", "The days so far"])
def test_page_when_a_part_is_absent_then_so_is_its_heading(reference, part):
    _, html, _ = page_of(reference, table(1000, 2))
    assert part not in html


def test_page_when_the_model_scored_then_shows_its_scores_then_and_now(reference):
    rng = np.random.default_rng(4)
    before = profile_scores(rng.uniform(size=2000), 0.5)
    now = profile_scores(rng.uniform(size=800) ** 2, 0.5, before)
    current = count_rows(reference.layout, table(1000, 2))
    report = mapping(
        compare_profiles(reference, current), predictions=compare_predictions(before, now).to_mapping()
    )
    html = render_drift_page(report, reference, current, (before, now))
    assert "What the model says" in html
    assert html.count("<svg") == len(SPECS) + 1


def test_page_when_days_went_before_then_draws_them_and_marks_the_alert(reference):
    history = [
        {"date": f"2026-11-{day:02d}", "verdict": "drift" if day > 3 else "no_drift", "rows": 900,
         "status": "drift" if day > 4 else "quiet", "effects": {"tenure": day / 100, "charge": None},
         "predicted_churn_rate": None, "accuracy": None}
        for day in range(1, 7)
    ]  # fmt: skip
    page, html, _ = page_of(reference, table(1000, 2), history=history)
    days = [attrs for tag, attrs in page.tags if tag == "rect" and "day" in attrs["class"]]
    alarms = [attrs for tag, attrs in page.tags if tag == "circle" and attrs["class"] == "alarm"]
    assert (len(days), len(alarms)) == (6, 2)
    assert "2 of them under an alert" in html


def test_page_when_the_customers_were_invented_then_says_so_before_anything_else(reference):
    model = {"version": "telecom-churn-synthetic/1", "data_origin": "synthetic"}
    _, html, _ = page_of(reference, table(1000, 2), model=model)
    assert html.index("Synthetic data") < html.index("<h1>")


def test_page_when_columns_are_degenerate_then_no_number_is_nan():
    specs = {"empty": ColumnSpec("numeric"), "frozen": ColumnSpec("numeric"), "huge": ColumnSpec("numeric")}
    columns = {
        "empty": np.full(500, np.nan),
        "frozen": np.ones(500),
        "huge": np.concatenate([np.full(250, 1e308), np.full(250, -1e308)]),
    }
    reference = build_profile(columns, specs)
    _, html, _ = page_of(reference, {**columns, "huge": np.full(500, np.inf)})
    shown = html[html.index("<body>") :].lower()
    assert "nan" not in shown.replace("finance", "")
    assert "500 infinite" in shown


def test_page_when_there_are_hundreds_of_columns_and_levels_then_stays_small():
    rng = np.random.default_rng(3)
    names = [f"feature {number}" for number in range(200)]
    levels = np.array([f"level {number}" for number in range(5000)], dtype=object)
    specs = {name: ColumnSpec("numeric") for name in names} | {"level": ColumnSpec("categorical")}
    columns = {name: rng.normal(size=300) for name in names} | {"level": levels[rng.integers(0, 5000, 300)]}
    reference = build_profile(columns, specs)
    page, html, _ = page_of(reference, columns)
    assert len(html) < 700_000
    assert len(page.text_of("h3")) == MOST_MULTIPLES
    assert "more features are in the table above" in html


@pytest.mark.parametrize(("value", "text"), [(0.0, "< 1e-300"), (4e-5, "4e-05"), (0.25, "0.250"), (None, "")])
def test_probability_when_it_is_tiny_then_is_never_shown_as_zero(value, text):
    assert probability(value) == text
