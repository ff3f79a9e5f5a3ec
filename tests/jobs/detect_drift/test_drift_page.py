"""The page is read as a browser reads it: parsed, in order, with every text where it belongs."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from include.drift_statistics.column_layouts import ColumnSpec, choose_layout
from include.drift_statistics.column_values import read_numbers
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.numeric_counts import count_numbers
from include.drift_statistics.performance_drift import RegisteredPerformance, performance_drift
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores
from include.drift_statistics.profiles import build_profile, count_rows
from sagemaker_jobs.distribution_shares import histogram
from sagemaker_jobs.drift_page import render_drift_page
from tests.jobs.detect_drift.batches import change
from tests.jobs.detect_drift.page_reports import (
    DATE,
    QUIET,
    SPECS,
    Page,
    history_day,
    mapping,
    page_of,
    page_of_columns,
    table,
)

HOSTILE = "</svg></table><script>alert(\"x\")</script><b onclick='x'>&"
TITLES = {
    "no_drift": "No drift",
    "drift": "Drift",
    "data_break": "Broken data: do not retrain on this batch",
    "insufficient_data": "Too few rows to judge",
}


def tripled(rows=1000):
    columns = table(rows, 2)
    columns["tenure"] = columns["tenure"] * 3
    return columns


def broken(rows=1000):
    columns = table(rows, 2)
    columns["charge"][: rows // 3] = np.nan
    return columns


BATCHES = {
    "no_drift": lambda: table(1000, 2),
    "drift": tripled,
    "data_break": broken,
    "insufficient_data": lambda: table(20, 2),
}


@pytest.fixture(scope="module")
def reference():
    return build_profile(table(4000, 1), SPECS)


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(4)
    before = profile_scores(rng.uniform(size=2000), 0.5)
    return before, profile_scores(rng.uniform(size=800) ** 2, 0.5, before)


@pytest.fixture(scope="module")
def full_page(reference, scores):
    """Every part a report can have."""
    rng = np.random.default_rng(6)
    probabilities = rng.uniform(size=900)
    labels = (rng.uniform(size=900) < 1 - probabilities).astype(float)
    performance = performance_drift(labels, probabilities, RegisteredPerformance(0.8, 0.85, 1400))
    change_of_tenure = {"column": "tenure", "statistic": "location", "days": 3, "p_value": 0.0, "effect": 1.4}
    return page_of(
        reference,
        tripled(),
        scores,
        predictions=compare_predictions(*scores).to_mapping(),
        performance=performance.to_mapping() | {"labelled_date": "2026-11-02", "labels": 950, "matched": 900},
        domain_classifier={
            "verdict": "drift",
            "sentence": "a classifier tells the batch from the reference: AUC 0.900, adjusted p 1e-09",
            "adjusted_p_value": 1e-09,
            "rows_reference": 4000,
            "floor": 0.55,
        },
        alert=QUIET
        | {
            "status": "drift",
            "transition": "worse",
            "since": "2026-11-05",
            "columns": ["tenure", "tenure, contract"],
            "changes": [change_of_tenure],
        },
        history=[history_day(day, "drift", "drift") for day in range(1, 8)],
    )


@pytest.mark.parametrize("verdict", TITLES)
def test_page_when_opened_then_its_first_heading_is_the_verdict_with_a_word_and_an_icon(reference, verdict):
    page = page_of(reference, BATCHES[verdict]())

    assert page.texts("h1") == [TITLES[verdict]]
    assert page.html.index("<h1>") < page.html.index("<h2>")
    assert '<section class="verdict ' + verdict in page.html
    assert '<h1><svg class="icon"' in page.html


def test_page_when_tenure_is_tripled_then_says_first_what_changed_and_by_how_much(reference):
    page = page_of(reference, tripled())
    verdict = page.texts("section", "verdict")[0]

    assert "1 of 4 columns changed: tenure" in verdict
    assert re.search(r"tenure mean 36(\.\d)? → 10\d", verdict)
    assert "seen on this day only" in verdict
    assert "after correction over all tests" in verdict


def test_page_when_an_alert_is_open_then_says_since_when_and_what_it_rests_on(full_page):
    assert "Since5 November 2026" in full_page.texts("section", "verdict")[0]
    alert = next(text for text in full_page.texts("section", "card") if text.startswith("Alert"))
    assert "An alert is open since 5 November 2026" in alert
    assert "worse today: a message is due" in alert
    assert "tenure and how 1 pair of columns go together" in alert
    assert "values moved1.4 sd3 days< 10⁻³⁰⁰" in alert


def steps(page):
    return (page.texts("ol", "steps") + page.texts("ul", "steps"))[0]


def test_steps_when_the_data_are_broken_then_forbid_retraining_and_tell_how_to_run_the_day_again(reference):
    told = steps(page_of(reference, broken()))

    assert told.startswith("Do not retrain on this batch")
    assert f'{{"batch_date": "{DATE}"}}' in told
    assert "the reasons for charge" in told


def test_steps_when_customers_changed_on_one_day_then_wait_for_the_alert(reference):
    told = steps(page_of(reference, tripled()))

    assert "Ask the team that delivers the data whether the source of tenure changed" in told
    assert "Do not retrain for this one day" in told


def test_steps_when_nothing_changed_then_are_none(reference):
    assert steps(page_of(reference, table(1000, 2))).startswith("Nothing has to be done")


def test_steps_when_a_quiet_day_lies_under_an_open_alert_then_say_that_it_is_open(reference):
    alert = QUIET | {"status": "drift", "since": "2026-11-20", "columns": ["charge"]}

    assert "the alert of 20 November 2026 is still open" in steps(
        page_of(reference, table(1000, 2), alert=alert)
    )


def test_steps_when_rows_are_too_few_then_name_the_rows_needed(reference):
    page = page_of(reference, table(20, 2))

    assert re.search(r"20 rows came, \d+ are needed", steps(page))
    assert "not at all: this is no verdict on the data" in page.body


def test_page_when_rendered_then_loads_nothing_and_runs_nothing(full_page):
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(full_page.tags)
    names = {name for _, name, _ in full_page.attributes}
    assert not {name for name in names if name in {"src", "href", "style"} or name.startswith("on")}
    assert not re.search(r"https?://|url\(|@import", full_page.html)


def test_page_when_rendered_then_every_drawing_is_sound_says_what_it_is_and_stays_inside(full_page):
    drawings = re.findall(r'<svg class="(?:chart|strip)".*?</svg>', full_page.html, re.DOTALL)

    assert len(drawings) > 8
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        width, height = (float(number) for number in root.get("viewBox").split()[2:])
        assert root.get("aria-label")
        assert root.find("title").text
        for bar in root.iter("rect"):
            x, y, wide, high = (float(bar.get(name)) for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + wide <= width + 0.1
            assert y + high <= height + 0.1
        for circle in root.iter("circle"):
            assert 0 <= float(circle.get("cx")) <= width
            assert 0 <= float(circle.get("cy")) <= height


@pytest.mark.parametrize("verdict", TITLES)
def test_page_when_shown_then_has_each_feature_once_in_the_table_and_once_as_a_chart(reference, verdict):
    page = page_of(reference, BATCHES[verdict]())

    assert sorted(page.texts("span", "name")) == sorted(SPECS)
    titles = [text for text in page.texts("h3") if any(text.startswith(name) for name in SPECS)]
    assert len(titles) == len(SPECS)


def test_table_when_one_feature_broke_and_another_drifted_then_is_sorted_by_importance(reference):
    columns = broken()
    columns["tenure"] = columns["tenure"] * 3
    page = page_of(reference, columns)

    assert page.texts("span", "name")[:2] == ["charge", "tenure"]
    assert page.texts("h3")[0].startswith("charge")


def test_table_when_shown_then_holds_test_p_values_effect_floor_missing_and_unseen_levels(reference):
    columns = broken()
    columns["contract"][:20] = "weekly"
    page = page_of(reference, columns)
    rows = {row.split("numeric")[0].split("categorical")[0]: row for row in page.texts("tr")}

    assert re.search(r"D 0\.\d{3}p 0\.\d{3}", rows["tenure"])
    assert "KS distancefloor 0.02" in rows["tenure"]
    assert "0.0% → 33.3%" in rows["charge"]
    assert re.search(r"χ² \d+(\.\d+)?, 2 dofp ", rows["contract"])
    assert "total variationfloor 0.02" in rows["contract"]
    assert "weekly (20)" in rows["contract"]


def test_chart_when_a_level_is_new_or_gone_then_is_marked_in_words():
    specs = {"plan": ColumnSpec("categorical")}
    page = page_of_columns(
        specs, {"plan": ["a"] * 500 + ["b"] * 500}, {"plan": ["a"] * 500 + ["c"] * 100 + ["d"] * 400}
    )

    assert "◆ new: c" in page.body
    assert "◆ new: d" in page.body
    assert "◇ gone: b" in page.body


def test_details_when_a_column_was_compared_then_hold_every_effect_size_with_interval_and_unit():
    rng = np.random.default_rng(3)
    page = page_of_columns(
        {"stay": ColumnSpec("numeric", unit="mon<th>s"), "plan": ColumnSpec("categorical")},
        {"stay": rng.integers(0, 73, 2000), "plan": ["a"] * 1000 + [HOSTILE] * 1000},
        {"stay": rng.integers(0, 73, 800) * 2, "plan": ["a"] * 500 + ["new"] * 300},
    )

    effects = "".join(page.texts("table", "effects"))
    for name in ("KS distance", "PSI", "Wasserstein distance", "Cramér's V", "total variation"):
        assert re.search(rf"{name}[^A-Za-z]*\d", effects), name
    assert re.search(r"Wasserstein distance[\d.]+mon<th>s[\d.]+ to [\d.]+", effects)
    assert re.search(r"Outside the reference's range: \d+\.\d% of the batch's numbers", page.body)
    assert f"Levels that are gone: {HOSTILE}." in page.body
    table = "".join(page.texts("table", "features"))
    assert re.search(r"0\.\d+ to 0\.\d+KS distance", table)
    assert f"gone: {HOSTILE[:30]}" in table
    assert "script" not in page.tags


def test_chart_when_the_batch_leaves_the_range_of_the_reference_then_says_that_only_counts_are_known(
    reference,
):
    assert re.search(
        r"\d+\.\d% of the batch lies beyond the reference's 0 to 72", page_of(reference, tripled()).body
    )


@pytest.mark.parametrize("place", ["column", "level", "note", "version", "missing", "alert"])
def test_page_when_a_text_from_outside_is_hostile_then_shows_it_as_text(place):
    name = HOSTILE if place == "column" else "plan"
    level = HOSTILE if place == "level" else "c"
    changes = {
        "note": {"notes": [HOSTILE]},
        "version": {"model": {"version": HOSTILE, "data_origin": "real"}},
        "missing": {
            "batch": {
                "date": DATE,
                "files": 1,
                "bytes": 9,
                "columns_missing": [HOSTILE],
                "columns_extra": [HOSTILE],
            }
        },
        "alert": {
            "alert": QUIET
            | {
                "status": "drift",
                "since": DATE,
                "columns": [HOSTILE],
                "changes": [
                    {"column": HOSTILE, "statistic": HOSTILE, "days": 1, "p_value": 0.1, "effect": 1.0}
                ],
            }
        },
    }
    page = page_of_columns(
        {name: ColumnSpec("categorical"), "n": ColumnSpec("numeric")},
        {name: ["a"] * 500 + ["b"] * 500, "n": np.arange(1000)},
        {name: [level] * 200 + ["a"] * 800, "n": np.arange(1000)},
        **changes.get(place, {}),
    )

    assert "script" not in page.tags
    assert not [attribute for _, attribute, _ in page.attributes if attribute.startswith("on")]
    assert HOSTILE in page.body


def test_page_when_names_hold_what_cannot_be_seen_or_stored_then_shows_a_sign_for_it():
    name = "a\u202eb\x00c\ud800\u2028"
    page = page_of_columns({name: ColumnSpec("numeric")}, {name: np.arange(500.0)}, {name: np.arange(500.0)})

    assert "a�b�c��" in page.body
    page.html.encode("utf-8")


def test_page_when_the_batch_could_not_be_read_then_says_why_and_shows_the_reference_alone(reference):
    nothing = count_rows(reference.layout, {name: [] for name in SPECS})
    sentence = "Data break, do not retrain on this batch: batch.csv: an HTML page."
    report = mapping(compare_profiles(reference, nothing), verdict="data_break", sentence=sentence)
    page = Page(render_drift_page(report, reference, None))

    assert page.texts("p", "lead") == ["The batch could not be read: batch.csv: an HTML page"]
    assert page.texts("summary")[0] == "No column was compared (4 columns)"
    assert 'class="now' not in page.html.replace("now-key", "")


def test_page_when_a_column_is_gone_then_says_so_in_table_and_chart(reference):
    columns = {name: values for name, values in table(1000, 2).items() if name != "tenure"}
    page = page_of(reference, columns)

    assert "The column is not in this batch." in page.body
    assert "not in the batch" in next(row for row in page.texts("tr") if row.startswith("tenure"))


def test_page_when_parts_are_absent_then_leaves_no_empty_heading(reference):
    page = page_of(reference, table(1000, 2), joint=None)

    assert page.texts("h2") == [
        "What to do next", "Alert", "Every feature, the most important first", "Then and now",
        "Batch and model", "What this can and cannot tell",
    ]  # fmt: skip


def test_page_when_everything_is_there_then_holds_every_part_in_order(full_page):
    assert full_page.texts("h2") == [
        "What to do next", "Alert", "Every feature, the most important first", "Then and now",
        "The model on this batch", "How columns go together", "The days so far",
        "Batch and model", "What this can and cannot tell",
    ]  # fmt: skip


def test_model_when_it_scored_then_shows_rate_with_interval_and_both_distributions(full_page):
    told = next(text for text in full_page.texts("article") if text.startswith("Scores and predictions"))

    assert re.search(r"\d+\.\d% of the customers are predicted to churn \(95% interval \d+\.\d% to", told)
    assert "score: reference and batch" in told


def test_model_when_labels_came_then_shows_measures_against_registered_values(full_page):
    told = next(text for text in full_page.texts("article") if text.startswith("Performance on known"))

    assert re.search(r"Accuracyshare of customers predicted rightly0\.\d{3}0\.\d{3} to 0\.\d{3}0\.8", told)
    assert "900 of 950 known outcomes belong to customers scored in the batch of 2 November 2026" in told


def test_history_when_days_went_before_then_draws_effects_with_floor_and_marks_alerts_and_breaks(reference):
    days = [
        history_day(1),
        history_day(2),
        history_day(3, "data_break", "data_break"),
        history_day(4, "drift", "drift"),
    ]
    page = page_of(reference, tripled(), history=days)

    titles = [text for text in page.texts("h3") if not text.endswith("drift")]
    assert titles == ["All columns", "Predicted churn rate", "Accuracy", "tenure"]
    assert page.html.count('class="alert-mark"') == page.html.count('class="break-mark"') == 4
    assert "effect size: 0.04 on the last day, floor 0.02" in page.body
    assert "4 recorded days, 1 November 2026 to 4 November 2026" in page.body
    assert "2 of them)" in page.body


def test_history_when_days_are_left_out_then_no_line_joins_them(reference):
    days = [history_day(day) for day in (1, 2, 3, 9, 10)]
    page = page_of(reference, table(1000, 2), history=days)
    line = re.search(r'class="curve" d="([^"]*)"', page.html).group(1)

    assert re.sub(r"[^ML]", "", line) == "MLLML"


def test_history_when_it_is_the_first_day_then_is_not_shown(reference):
    assert "The days so far" not in page_of(reference, table(1000, 2), history=[history_day(24)]).body


@pytest.mark.parametrize(("origin", "is_shown"), [("synthetic", True), ("real", False)])
def test_page_when_the_customers_were_invented_then_is_marked(reference, origin, is_shown):
    page = page_of(reference, table(1000, 2), model={"version": "m/1", "data_origin": origin})

    assert ("invented by a generator" in page.body) is is_shown


def test_page_when_columns_are_degenerate_then_is_drawn_without_a_nan():
    before = {
        "empty": np.full(500, np.nan),
        "frozen": np.ones(500),
        "huge": 1.7e308 * np.linspace(-1, 1, 500),
        "tiny": np.linspace(0, 1e-310, 500),
        "large integers": np.arange(2**62, 2**62 + 500),
        "filled": np.arange(500.0),
    }
    now = {
        **before,
        "huge": np.full(500, np.inf),
        "empty": np.full(500, np.nan),
        "filled": np.full(500, np.nan),
    }
    page = page_of_columns({name: ColumnSpec("numeric") for name in before}, before, now)

    assert not re.search(r"\b(nan|inf|None)\b", page.html[page.html.index("<body>") :])
    assert "500 infinite" in page.body
    assert "too far apart, or too close together" in page.body


def test_page_when_the_report_comes_back_from_its_file_then_is_the_same(reference):
    current = count_rows(reference.layout, tripled())
    report = mapping(compare_profiles(reference, current))
    again = json.loads(json.dumps(report, allow_nan=False))

    assert render_drift_page(again, reference, current) == render_drift_page(report, reference, current)


def test_page_when_levels_and_reasons_are_many_and_long_then_stays_small():
    rng = np.random.default_rng(3)
    levels = np.array([f"level {number} " + 300 * "x" for number in range(5000)], dtype=object)
    specs = {f"level {number}": ColumnSpec("categorical") for number in range(3)}
    specs |= {f"number {number}": ColumnSpec("numeric") for number in range(9)}

    def draw(first, scale):
        columns = {name: levels[rng.integers(first, first + 4000, 4000)] for name in list(specs)[:3]}
        return columns | {name: scale * rng.normal(size=4000) for name in list(specs)[3:]}

    history = [
        history_day(1, date=f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}", effects=dict.fromkeys(specs, 0.1))
        for day in range(120)
    ]
    page = page_of_columns(specs, draw(0, 1.0), draw(1000, 2.0), history=history)

    assert len(page.html.encode()) < 400_000
    assert len(page.texts("span", "name")) == 12


def test_page_when_there_are_hundreds_of_columns_then_shows_all_of_them_and_folds_up_the_quiet_ones():
    rng = np.random.default_rng(3)
    names = [f"feature {number}" for number in range(200)]
    specs = {name: ColumnSpec("numeric") for name in names}
    page = page_of_columns(
        specs,
        {name: rng.normal(size=300) for name in names},
        {name: rng.normal(size=300) for name in names},
    )

    assert len(page.texts("span", "name")) == 200
    assert len(page.texts("h3")) == 200
    assert "176 more columns without drift" in page.texts("summary")
    assert len(page.html) < 1_200_000


def test_page_of_the_real_job_when_tenure_is_tripled_then_names_it_first(halves, run):
    done = run(change(halves.second, "tenure", lambda row: str(3 * int(row["tenure"]))), halves.reference)
    page = Page((done.directory / "drift_report.html").read_text(encoding="utf-8"))

    assert page.texts("h1") == ["Drift"]
    assert page.texts("span", "name")[0] == "tenure_months"
    assert len(page.texts("span", "name")) == 12


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "batch",
    [
        np.concatenate([[-1.7e308, 1.7e308], np.linspace(0, 1, 298)]),
        np.array([5e-324, 1e-322] * 150),
        np.linspace(-1, 3, 300),
    ],
    ids=["two values as far as floats go", "denormal", "wider"],
)
def test_histogram_when_values_are_anything_then_holds_every_finite_row_once(batch):
    usual = np.linspace(0, 1, 300)
    layout = choose_layout(usual, ColumnSpec("numeric"))
    drawn = histogram(layout, *(count_numbers(layout, read_numbers(values)) for values in (usual, batch)))

    for shares, outside in (
        (drawn.reference, drawn.reference_outside),
        (drawn.current, drawn.current_outside),
    ):
        assert shares.min() >= 0
        assert shares.sum() + outside == pytest.approx(1)


def test_verdict_when_data_are_broken_then_tells_the_reasons_of_the_break_only(reference):
    told = page_of(reference, broken()).texts("section", "verdict")[0]

    assert "charge 33.3% of the values are missing, 0.0% in the referenceSince" in told
