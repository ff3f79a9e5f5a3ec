"""Which message a day calls for, against what people were told last."""

import pytest

from include.data_contracts.told_alert import ToldAlert
from include.drift_alerts.due_transitions import Standing, due_transition

QUIET = Standing("2026-10-03", "drift", False)


def told(kind: str, transition: str, columns: tuple[str, ...] = (), date: str = "2026-10-02") -> ToldAlert:
    return ToldAlert(
        about="group/1", date=date, kind=kind, transition=transition, is_trial=False, since=date,
        columns=columns, alert_id=f"group/1/{date}/{kind}-{transition}", subject="", text="", attributes={},
        run_id="run", written_at=f"{date}T06:00:00+00:00", claimed_by=None, claimed_at="",
    )  # fmt: skip


def stands(kind: str, *columns: str, job_says: str = "none") -> Standing:
    return Standing("2026-10-03", kind, True, columns, job_says)


@pytest.mark.parametrize(
    ("standing", "last", "expected"),
    [
        (stands("drift", "tenure"), None, "new"),
        (stands("drift", "tenure"), told("drift", "cleared"), "new"),
        (stands("drift", "tenure"), told("drift", "new", ("tenure",)), "none"),
        (stands("drift", "tenure", "charges"), told("drift", "new", ("tenure",)), "worse"),
        (stands("data_break", "tenure"), told("drift", "new", ("tenure",)), "worse"),
        (QUIET, told("drift", "new", ("tenure",)), "cleared"),
        (QUIET, told("data_break", "new"), "cleared"),
        (QUIET, told("drift", "cleared"), "none"),
        (QUIET, None, "none"),
    ],
)  # fmt: skip
def test_message_when_a_day_is_held_against_the_last_one_then_tells_what_changed(standing, last, expected):
    assert due_transition(standing, last, None, is_followed=False) == expected


def test_break_when_it_ends_while_drift_is_open_then_its_end_is_told_and_the_drift_stays_open():
    drift = stands("drift", "tenure")
    assert (
        due_transition(drift, told("data_break", "worse", ("tenure",)), None, is_followed=False) == "cleared"
    )
    end_of_break = told("drift", "cleared", ("tenure",))
    assert due_transition(drift, end_of_break, None, is_followed=False) == "none"
    assert due_transition(QUIET, end_of_break, None, is_followed=False) == "cleared"


def test_break_when_its_end_shows_another_column_too_then_that_is_told():
    standing = stands("drift", "tenure", "charges")
    assert (
        due_transition(standing, told("data_break", "worse", ("tenure",)), None, is_followed=False) == "worse"
    )


def test_break_when_a_later_day_was_judged_then_that_day_tells_its_end():
    standing, last = stands("drift", "tenure"), told("data_break", "worse", ("tenure",))
    assert due_transition(standing, last, None, is_followed=True) == "none"


def test_late_day_when_a_later_message_names_its_columns_then_nothing_is_told():
    later = told("drift", "new", ("tenure", "charges"), date="2026-10-05")
    assert due_transition(stands("drift", "tenure"), None, later, is_followed=True) == "none"
