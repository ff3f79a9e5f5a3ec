"""Days to alerts: quiet half-years, prompt alerts, clearing, and a state that re-runs cannot upset."""

import datetime
import json

import numpy as np
import pytest

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.daily_evidence import day_evidence
from include.drift_statistics.profiles import build_profile, count_rows
from include.drift_statistics.sequential_monitor import MonitorRule, MonitorState, decide_alerts, walk_days

SPECS = {"number": ColumnSpec("numeric"), "level": ColumnSpec("categorical")}
BATCH = 500


def draw(generator, rows, shift=0.0, unseen=0.0):
    level = generator.choice(np.array(["a", "b", "c"], dtype=object), rows)
    level[generator.random(rows) < unseen] = "new"
    return {"number": generator.normal(shift, 1, rows), "level": level}


def pile(numbers, generator):
    """A fiftieth of the rows at one value that the reference hardly has."""
    return np.where(generator.random(len(numbers)) < 0.02, 0.1234567, numbers)


def rounded(numbers, generator):
    return np.round(numbers * 20) / 20


def no_hundredth(numbers, generator):
    """The values of a narrow range are gone, put among all others."""
    return np.where(np.abs(numbers - 0.5) < 0.03, generator.normal(0, 1, len(numbers)), numbers)


def date(day):
    return (datetime.date(2026, 1, 1) + datetime.timedelta(days=day)).isoformat()


def make_days(reference, seed, batches, rows=BATCH, change=None):
    """Evidence of days; `change` is applied to the numbers of days whose verdict is drift."""
    generator = np.random.default_rng(seed)
    days = []
    for number, (shift, unseen, verdict) in enumerate(batches):
        table = draw(generator, rows, shift, unseen)
        if change is not None and verdict == "drift":
            table["number"] = change(table["number"], generator)
        profile = count_rows(reference.layout, table)
        days.append(day_evidence(reference, profile, date(number), verdict))
    return days


QUIET = (0.0, 0.0, "no_drift")
SHIFTED = (0.25, 0.0, "drift")
BROKEN = (9.0, 0.0, "data_break")


@pytest.fixture(scope="module")
def reference():
    return build_profile(draw(np.random.default_rng(0), 4000), SPECS)


@pytest.fixture(scope="module")
def small_reference():
    return build_profile(draw(np.random.default_rng(5), BATCH), SPECS)


def transitions(decisions):
    return [(number, item.transition) for number, item in enumerate(decisions) if item.transition != "none"]


@pytest.mark.parametrize("fixture", ["reference", "small_reference"])
def test_walk_days_when_nothing_changes_for_half_a_year_then_quiet(request, fixture):
    profile = request.getfixturevalue(fixture)
    decisions = walk_days(profile, make_days(profile, 1, [QUIET] * 180), MonitorRule())
    assert transitions(decisions) == []


def test_walk_days_when_values_shift_then_one_new_alert_with_its_start(reference):
    decisions = walk_days(reference, make_days(reference, 2, [QUIET] * 30 + [SHIFTED] * 10), MonitorRule())
    changes = transitions(decisions)
    assert [name for _, name in changes] == ["new"]
    alert = decisions[changes[0][0]]
    assert 30 <= changes[0][0] <= 34
    assert alert.columns == ("number",)
    assert date(28) <= alert.since <= date(31)
    assert decisions[-1].status == "drift"


def test_walk_days_when_the_shift_ends_then_cleared_once(reference):
    batches = [QUIET] * 20 + [SHIFTED] * 8 + [QUIET] * 12
    decisions = walk_days(reference, make_days(reference, 3, batches), MonitorRule())
    assert [name for _, name in transitions(decisions)] == ["new", "cleared"]
    assert decisions[-1].status == "quiet"


@pytest.mark.parametrize("fixture", ["reference", "small_reference"])
@pytest.mark.parametrize("shift", [0.1, 0.15])
def test_walk_days_when_a_small_shift_lasts_then_one_message_and_no_more(request, fixture, shift):
    """A shift that five days show only now and then opens one alert, which stays."""
    profile = request.getfixturevalue(fixture)
    for seed in (20, 21):
        batches = [QUIET] * 40 + [(shift, 0.0, "drift")] * 120
        decisions = walk_days(profile, make_days(profile, seed, batches), MonitorRule())
        told = [name for day, name in transitions(decisions) if day >= 40]
        assert told == ["new"]
        assert decisions[-1].status == "drift"


@pytest.mark.parametrize(("shift", "lasting", "longest"), [(0.15, 30, 12), (0.5, 1, 12), (0.5, 30, 6)])
def test_walk_days_when_back_at_the_baseline_then_cleared_soon_and_quiet_for_good(
    reference, shift, lasting, longest
):
    for seed in (30, 31):
        batches = [QUIET] * 20 + [(shift, 0.0, "drift")] * lasting + [QUIET] * 40
        decisions = walk_days(reference, make_days(reference, seed, batches), MonitorRule())
        told = transitions(decisions)
        assert [name for _, name in told] == ["new", "cleared"]
        assert 4 <= told[1][0] - 20 - lasting + 1 <= longest


def test_walk_days_when_a_shift_halves_then_the_alert_stays(reference):
    batches = [QUIET] * 20 + [(0.5, 0.0, "drift")] * 20 + [(0.2, 0.0, "drift")] * 30
    decisions = walk_days(reference, make_days(reference, 40, batches), MonitorRule())
    assert [name for _, name in transitions(decisions)] == ["new"]


def test_walk_days_when_the_change_swings_to_the_other_side_then_the_alert_stays(reference):
    batches = [QUIET] * 20 + [(0.5, 0.0, "drift")] * 10 + [(-0.4, 0.0, "drift")] * 30
    decisions = walk_days(reference, make_days(reference, 41, batches), MonitorRule())
    assert [name for _, name in transitions(decisions)] == ["new"]


@pytest.mark.parametrize("unseen", [0.02, 0.08])
def test_walk_days_when_a_level_comes_and_goes_then_new_once_and_cleared_once(reference, unseen):
    batches = [QUIET] * 20 + [(0.0, unseen, "drift")] * 20 + [QUIET] * 20
    decisions = walk_days(reference, make_days(reference, 42, batches), MonitorRule())
    told = transitions(decisions)
    assert [name for _, name in told] == ["new", "cleared"]
    assert told[1][0] - 40 + 1 <= 7


@pytest.mark.parametrize(
    ("change", "statistics"),
    [(pile, {"one value"}), (rounded, {"narrow groups", "one value"}), (no_hundredth, {"one value"})],
)
def test_walk_days_when_only_single_values_change_then_alerts_and_clears(reference, change, statistics):
    batches = [QUIET] * 20 + [(0.0, 0.0, "drift")] * 30 + [QUIET] * 20
    decisions = walk_days(reference, make_days(reference, 43, batches, change=change), MonitorRule())
    told = transitions(decisions)
    assert [name for _, name in told] == ["new", "cleared"]
    assert told[0][0] < 30
    assert statistics & {item.stream.statistic for item in decisions[told[0][0]].changes}


def test_walk_days_when_a_feed_breaks_during_drift_then_its_end_is_told_and_drift_is_open(reference):
    strong = (0.8, 0.0, "drift")
    batches = [QUIET] * 10 + [strong] * 3 + [BROKEN] * 2 + [strong] * 3
    decisions = walk_days(reference, make_days(reference, 44, batches), MonitorRule())
    assert transitions(decisions) == [(10, "new"), (13, "worse"), (15, "cleared")]
    assert decisions[15].status == "drift"


def test_state_when_it_holds_years_then_an_open_alert_keeps_its_first_day(reference):
    days = make_days(reference, 45, [QUIET] * 10 + [(0.5, 0.0, "drift")] * 450, rows=40)
    state = MonitorState("m")
    for day in days:
        state = state.with_day(day)
    last, before = (decide_alerts(reference, state, days[-ago].date) for ago in (1, 100))
    assert last.since == before.since
    assert (last.status, last.transition) == ("drift", "none")
    early = MonitorState("m", state.days[1:]).with_day(days[0])
    assert early == state


def test_walk_days_when_another_column_joins_then_worse(reference):
    batches = [QUIET] * 20 + [SHIFTED] * 6 + [(0.25, 0.08, "drift")] * 4
    decisions = walk_days(reference, make_days(reference, 4, batches), MonitorRule())
    assert [name for _, name in transitions(decisions)] == ["new", "worse"]
    assert decisions[-1].columns == ("number", "level")


def test_walk_days_when_a_day_is_broken_then_alert_at_once_and_not_counted(reference):
    batches = [QUIET] * 5 + [BROKEN, BROKEN] + [QUIET] * 20
    decisions = walk_days(reference, make_days(reference, 5, batches), MonitorRule())
    assert transitions(decisions) == [(5, "new"), (7, "cleared")]
    assert decisions[5].status == "data_break"


def test_walk_days_when_a_day_is_too_small_then_status_is_kept(reference):
    decisions = walk_days(
        reference,
        make_days(reference, 6, [QUIET] * 5 + [(0.0, 0.0, "insufficient_data")] + [QUIET] * 2),
        MonitorRule(),
    )
    assert {item.status for item in decisions} == {"quiet"}


def test_walk_days_when_the_shift_is_below_the_floor_then_never_alerts(reference):
    batches = [QUIET] * 10 + [(0.02, 0.0, "no_drift")] * 120
    decisions = walk_days(reference, make_days(reference, 7, batches), MonitorRule())
    assert transitions(decisions) == []


def test_state_when_days_come_twice_or_out_of_order_then_decisions_are_the_same(reference):
    days = make_days(reference, 8, [QUIET] * 20 + [SHIFTED] * 5)
    in_order = MonitorState("model/1")
    for day in days:
        in_order = in_order.with_day(day)
    mixed = MonitorState("model/1")
    for day in [*reversed(days), days[3], days[22]]:
        mixed = mixed.with_day(day)
    assert mixed == in_order
    assert decide_alerts(reference, mixed, days[-1].date) == decide_alerts(reference, in_order, days[-1].date)


def test_decide_alerts_when_later_days_are_known_then_an_earlier_decision_does_not_change(reference):
    days = make_days(reference, 9, [QUIET] * 10 + [SHIFTED] * 10)
    early, late = MonitorState("m"), MonitorState("m")
    for number, day in enumerate(days):
        late = late.with_day(day)
        early = early.with_day(day) if number < 12 else early
    assert decide_alerts(reference, early, date(11)) == decide_alerts(reference, late, date(11))


def test_decide_alerts_when_walked_day_by_day_then_equals_the_backfill(reference):
    days = make_days(reference, 10, [QUIET] * 10 + [SHIFTED] * 8 + [QUIET] * 8)
    backfill = walk_days(reference, days, MonitorRule())
    state, daily = MonitorState("m"), []
    for day in days:
        state = state.with_day(day)
        daily.append(decide_alerts(reference, state, day.date))
    assert daily == backfill


def test_state_when_written_as_strict_json_and_read_then_equal(reference):
    state = MonitorState("model/1")
    for day in make_days(reference, 11, [QUIET, SHIFTED, BROKEN]):
        state = state.with_day(day)
    text = json.dumps(state.to_mapping(), allow_nan=False)
    assert MonitorState.from_mapping(json.loads(text)) == state


def test_state_when_of_another_version_then_refused():
    with pytest.raises(ValueError, match="of version 2: 'drift_monitor_state' version 1"):
        MonitorState.from_mapping({"contract": "drift_monitor_state", "version": 1, "days": []})


def test_decide_alerts_when_the_date_is_not_recorded_then_refused(reference):
    with pytest.raises(ValueError, match="2026-05-05"):
        decide_alerts(reference, MonitorState("m"), "2026-05-05")


def test_day_evidence_when_a_column_is_gone_then_the_day_takes_no_part(reference):
    profile = count_rows(reference.layout, {"number": np.zeros(100)})
    assert not day_evidence(reference, profile, date(0), "no_drift").counts
