from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from include.airflow_tasks.batch_sensor import BatchSensor, content_fingerprint, look_for_batch
from include.airflow_tasks.day_recording import record_monitored_day
from include.data_contracts.day_inputs import DayInputs
from tests.unit.airflow_tasks.drift_outputs import leave_outputs
from tests.unit.airflow_tasks.monitored_models import put
from tests.unit.sagemaker_requests.plans import monitoring_plan

PLAN = monitoring_plan()
BATCH = PLAN.batch_uri
SETTLED = 600.0
DEADLINE = datetime.fromisoformat(PLAN.deadline)


def plan_with(**conf):
    return monitoring_plan(conf)


def look(s3_hook, plan=PLAN, *, late=False, after_seconds=1000.0, settled_after=SETTLED):
    """Look as if `after_seconds` had passed since the last upload, before or after the deadline."""
    now = datetime.now(UTC) + timedelta(seconds=after_seconds)
    deadline = now + timedelta(hours=-1 if late else 1)
    plan = replace(plan, deadline=deadline.isoformat())
    return look_for_batch(plan, s3=s3_hook, now=now, settled_after_seconds=settled_after)


def record(s3_hook, plan, inputs):
    drift = leave_outputs(plan) if inputs.has_arrived else None
    return record_monitored_day(plan, inputs, drift, s3=s3_hook)


def on(date, plan=PLAN):
    return replace(plan, batch_date=date, batch_uri=f"s3://churn-data/current/ibm_telco/{date}/")


# --- arrived, missing ----------------------------------------------------------------------------------
def test_look_when_nothing_is_there_and_grace_lasts_then_waits(s3_hook):
    assert look(s3_hook) is None


def test_look_when_grace_is_over_and_nothing_is_there_then_the_batch_is_missing(s3_hook):
    assert look(s3_hook, late=True) == DayInputs("missing", BATCH)


@pytest.mark.parametrize("late", [False, True])
def test_look_when_a_settled_batch_is_there_then_it_has_arrived(s3_hook, late):
    put(f"{BATCH}a.csv", b"1,2,3\n")
    put(f"{BATCH}b.csv", b"4,5\n")
    found = look(s3_hook, late=late)
    assert (found.status, found.files, found.bytes, found.batch_uri) == ("arrived", 2, 10, BATCH)
    assert found.age_hours == pytest.approx(1000 / 3600, abs=0.01)
    assert (found.state_uri, found.labels_uri, found.past_predictions_uri) == (None, None, None)


@pytest.mark.parametrize("late", [False, True])
def test_look_when_a_file_has_just_been_written_then_waits_for_the_rest(s3_hook, late):
    put(f"{BATCH}part-1.csv")
    assert look(s3_hook, late=late, after_seconds=SETTLED / 2) is None
    assert look(s3_hook, late=late, after_seconds=SETTLED * 2).has_arrived


def test_look_when_the_batch_is_declared_complete_then_nothing_is_waited_for(s3_hook):
    put(f"{BATCH}part-1.csv")
    put(f"{BATCH}_SUCCESS", b"")
    found = look(s3_hook, after_seconds=0.0)
    assert found.has_arrived
    assert found.files == 1


def test_look_when_only_markers_are_there_then_there_is_no_batch(s3_hook):
    for name in ("_SUCCESS", "_temporary/0/part-0.csv", ".hidden.csv", "folder/"):
        put(f"{BATCH}{name}", b"x" if name.endswith("csv") else b"")
    assert look(s3_hook) is None
    assert look(s3_hook, late=True).status == "missing"


def test_look_when_the_batch_is_an_empty_file_then_it_has_arrived_and_the_job_judges_it(s3_hook):
    put(f"{BATCH}a.csv", b"")
    assert look(s3_hook).has_arrived


def test_look_when_a_single_file_is_named_then_it_is_the_batch(s3_hook):
    put("s3://churn-data/extra/day.csv")
    found = look(s3_hook, plan_with(batch_uri="s3://churn-data/extra/day.csv"))
    assert (found.batch_uri, found.files) == ("s3://churn-data/extra/day.csv", 1)


def test_look_when_a_folder_is_named_without_slash_then_sagemaker_gets_one(s3_hook):
    put("s3://churn-data/extra/day.csv")
    assert look(s3_hook, plan_with(batch_uri="s3://churn-data/extra")).batch_uri == "s3://churn-data/extra/"


def test_look_when_the_named_place_is_ambiguous_then_it_is_refused_by_name(s3_hook):
    put("s3://churn-data/may/a.csv")
    put("s3://churn-data/may_old/a.csv")
    with pytest.raises(AirflowFailException, match=r"batch_uri .* is ambiguous"):
        look(s3_hook, plan_with(batch_uri="s3://churn-data/may"))


# --- stale ---------------------------------------------------------------------------------------------
@pytest.fixture
def yesterday(s3_hook):
    """The batch of the 23rd, judged and recorded."""
    plan = on("2026-11-23")
    put(f"{plan.batch_uri}customers.csv", b"the same again\n")
    return record(s3_hook, plan, look(s3_hook, plan))


def test_look_when_the_content_is_yesterdays_then_waits_and_after_grace_it_is_stale(s3_hook, yesterday):
    put(f"{BATCH}other-name.csv", b"the same again\n")
    assert look(s3_hook) is None
    found = look(s3_hook, late=True)
    assert found.status == "stale"
    assert found.fingerprint == yesterday.fingerprint


def test_look_when_one_byte_differs_from_yesterday_then_it_has_arrived(s3_hook, yesterday):
    put(f"{BATCH}customers.csv", b"the same agaim\n")
    assert look(s3_hook).has_arrived


def test_look_when_a_day_was_missing_in_between_then_the_older_batch_is_stale_all_the_same(s3_hook):
    first = on("2026-11-22")
    put(f"{first.batch_uri}customers.csv", b"the same again\n")
    record(s3_hook, first, look(s3_hook, first))
    gap = on("2026-11-23")
    record(s3_hook, gap, look(s3_hook, gap, late=True))
    put(f"{BATCH}customers.csv", b"the same again\n")
    assert look(s3_hook, late=True).status == "stale"


def test_look_when_the_day_is_judged_again_then_its_own_record_does_not_make_it_stale(s3_hook):
    put(f"{BATCH}customers.csv")
    record(s3_hook, PLAN, look(s3_hook))
    assert look(s3_hook).has_arrived


def test_look_when_a_person_names_the_place_then_the_same_content_is_judged_again(s3_hook, yesterday):
    put("s3://churn-data/extra/customers.csv", b"the same again\n")
    assert look(s3_hook, plan_with(batch_uri="s3://churn-data/extra/")).has_arrived


def test_fingerprint_when_files_are_renamed_or_reordered_then_is_the_same():
    one = [{"Key": "a", "Size": 1, "ETag": "x"}, {"Key": "b", "Size": 2, "ETag": "y"}]
    other = [{"Key": "c", "Size": 2, "ETag": "y"}, {"Key": "d", "Size": 1, "ETag": "x"}]
    assert content_fingerprint(one) == content_fingerprint(other)
    assert content_fingerprint(one) != content_fingerprint(one[:1])


# --- state and labels ----------------------------------------------------------------------------------
def test_look_when_a_day_was_recorded_before_then_its_state_goes_to_the_job(s3_hook, yesterday):
    put(f"{BATCH}customers.csv")
    assert look(s3_hook).state_uri == f"{PLAN.monitoring_prefix}/monitor_state.json"


def test_look_when_labels_have_come_for_scores_of_that_day_then_both_go_to_the_job(s3_hook):
    labelled = on(PLAN.labelled_date)
    put(f"{labelled.batch_uri}customers.csv")
    record(s3_hook, labelled, look(s3_hook, labelled))
    put(f"{PLAN.labels_uri}labels.csv")
    put(f"{BATCH}customers.csv", b"other\n")
    found = look(s3_hook)
    assert (found.labelled_date, found.expected_labels) == (PLAN.labelled_date, None)
    assert found.labels_uri == PLAN.labels_uri
    assert found.past_predictions_uri == f"{PLAN.monitoring_prefix}/predictions/2026-10-25/predictions.csv"


def test_look_when_labels_have_come_but_no_scores_are_kept_then_they_are_left_aside(s3_hook):
    put(f"{PLAN.labels_uri}labels.csv")
    put(f"{BATCH}customers.csv")
    assert look(s3_hook).labels_uri is None


@pytest.fixture
def scored(s3_hook):
    """Ten days judged without labels a month ago, whose scores are kept."""
    plans = {date: on(date) for date in days_before(PLAN.labelled_date, 9, -1)}
    for plan in plans.values():
        put(f"{plan.batch_uri}customers.csv", plan.batch_date.encode())
        record(s3_hook, plan, look(s3_hook, plan))
    return list(plans)


def days_before(date, most, least):
    return [
        str(datetime.fromisoformat(date).date() - timedelta(days=days)) for days in range(most, least, -1)
    ]


def label(date):
    put(f"s3://churn-data/labels/ibm_telco/{date}/labels.csv")


def judge(s3_hook, date):
    """Judge a day of its own batch, with labels due as many days before as the plan's."""
    delay = datetime.fromisoformat(PLAN.batch_date) - datetime.fromisoformat(PLAN.labelled_date)
    due = str((datetime.fromisoformat(date) - delay).date())
    plan = replace(on(date), labelled_date=due, labels_uri=f"s3://churn-data/labels/ibm_telco/{due}/")
    put(f"{plan.batch_uri}customers.csv", date.encode())
    found = look(s3_hook, plan)
    record(s3_hook, plan, found)
    return found


def test_look_when_labels_are_late_then_says_which_and_a_later_day_takes_them_once(s3_hook, scored):
    *_, before, due = scored
    label("2026-10-01")  # labels do come here
    first, second, third = days_before(PLAN.batch_date, 1, -2)
    assert judge(s3_hook, first).expected_labels == before
    label(before)
    label(due)
    found = judge(s3_hook, second)
    assert (found.labelled_date, found.expected_labels) == (before, None)
    assert found.past_predictions_uri == f"{PLAN.monitoring_prefix}/predictions/{before}/predictions.csv"
    assert judge(s3_hook, third).labelled_date == due
    for date, taken in ((second, before), (third, due), (first, None)):
        assert judge(s3_hook, date).labelled_date == taken


def test_look_when_labels_are_later_than_a_week_then_they_are_left_aside(s3_hook, scored):
    label(scored[1])  # eight days before those that are due
    found = judge(s3_hook, PLAN.batch_date)
    assert (found.labelled_date, found.expected_labels) == (None, PLAN.labelled_date)
    label(scored[2])
    assert judge(s3_hook, PLAN.batch_date).labelled_date == scored[2]


def test_look_when_no_labels_ever_come_then_none_are_expected(s3_hook, scored):
    assert judge(s3_hook, PLAN.batch_date).expected_labels is None


def test_look_when_named_labels_are_not_there_then_it_is_refused(s3_hook):
    put(f"{BATCH}customers.csv")
    with pytest.raises(AirflowFailException, match="labels_uri: no file under s3://churn-data/outcomes/"):
        look(s3_hook, plan_with(labels_uri="s3://churn-data/outcomes/"))


def test_look_when_named_labels_have_no_scores_then_it_is_refused_and_says_what_to_do(s3_hook):
    put(f"{BATCH}customers.csv")
    put("s3://churn-data/outcomes/labels.csv")
    with pytest.raises(AirflowFailException, match=r"no scores of 2026-10-25 .* label_delay_days"):
        look(s3_hook, plan_with(labels_uri="s3://churn-data/outcomes/"))


def test_look_when_labels_are_of_this_very_batch_then_no_earlier_scores_are_needed(s3_hook):
    put(f"{BATCH}customers.csv")
    put("s3://churn-data/outcomes/labels.csv")
    plan = plan_with(labels_uri="s3://churn-data/outcomes/", label_delay_days=0)
    found = look(s3_hook, replace(plan, labelled_date=plan.batch_date))
    assert (found.labels_uri, found.past_predictions_uri) == ("s3://churn-data/outcomes/", None)


# --- the sensor ----------------------------------------------------------------------------------------
class Instance(SimpleNamespace):
    def get_previous_dagrun(self, state):
        assert state == "running"
        return self.earlier

    def get_task_states(self, *, dag_id, task_ids, run_ids):
        assert dag_id == PLAN.dag_id
        (task_id,), (run_id,) = task_ids, run_ids
        return {run_id: {task_id: self.earlier.recording}} if self.earlier.recording else {}

    def get_first_reschedule_date(self, _context):
        return None

    def xcom_push(self, key, value):
        self.notes[key] = value


def execute(plan=PLAN, *, earlier=None):
    instance = Instance(earlier=earlier, notes={})
    sensor = BatchSensor(
        task_id="wait_for_batch",
        plan=plan.to_mapping(),
        look_interval_seconds=0.0,
        aws_conn_id=None,
        region_name="eu-west-1",
    )
    return sensor.execute({"ti": instance}), instance


def test_sensor_when_the_batch_is_there_then_returns_the_inputs(s3_hook):
    put(f"{BATCH}customers.csv")
    returned, _ = execute()
    assert DayInputs.from_mapping(returned).has_arrived


def test_sensor_when_grace_lasts_then_gives_its_slot_back_until_the_next_look(s3_hook):
    with pytest.raises(AirflowRescheduleException):
        execute(replace(PLAN, deadline="2999-01-01T00:00:00+00:00"))


def test_sensor_when_grace_is_over_then_missing_is_an_answer_and_no_failure(s3_hook):
    returned, _ = execute(replace(PLAN, deadline="2020-01-01T00:00:00+00:00"))
    assert returned["status"] == "missing"


@pytest.mark.parametrize(
    ("recording", "waits"),
    [
        (None, True),
        ("scheduled", True),
        ("up_for_retry", True),
        ("success", False),
        ("upstream_failed", False),
    ],
)
def test_sensor_when_an_earlier_day_is_not_recorded_yet_then_waits_for_its_turn(s3_hook, recording, waits):
    """Its messages and metrics may still be tried for a day: nobody waits for those."""
    put(f"{BATCH}customers.csv")
    earlier = SimpleNamespace(run_id="backfill__2026-11-24", conf={}, recording=recording)
    if waits:
        with pytest.raises(AirflowRescheduleException) as waiting:
            execute(earlier=earlier)
        assert (
            timedelta(seconds=9) < waiting.value.reschedule_date - datetime.now(UTC) < timedelta(seconds=31)
        )
    else:
        assert execute(earlier=earlier)[0]["status"] == "arrived"


def test_sensor_when_the_run_names_its_day_then_waits_for_nobody_and_nobody_for_it(s3_hook):
    put(f"{BATCH}customers.csv")
    waiting = SimpleNamespace(run_id="scheduled__2026-11-24", conf={}, recording=None)
    assert execute(plan_with(batch_date=PLAN.batch_date), earlier=waiting)[0]["status"] == "arrived"
    named = SimpleNamespace(run_id="manual__", conf={"batch_date": "2026-11-20"}, recording=None)
    assert execute(earlier=named)[0]["status"] == "arrived"


def test_sensor_when_it_refuses_then_the_runs_note_says_why(s3_hook):
    put(f"{BATCH}customers.csv")
    plan = plan_with(labels_uri="s3://churn-data/outcomes/")
    instance = Instance(earlier=None, notes={})
    sensor = BatchSensor(
        task_id="wait",
        plan=plan.to_mapping(),
        look_interval_seconds=0,
        aws_conn_id=None,
        region_name="eu-west-1",
    )
    with pytest.raises(AirflowFailException):
        sensor.execute({"ti": instance})
    assert instance.notes["run_note"].startswith("Refused: labels_uri")


@pytest.mark.parametrize(("asked", "used"), [(0.1, 10.0), (300.0, 300.0)])
def test_sensor_when_told_to_look_often_then_not_more_often_than_airflow_can_bear(asked, used):
    """A task queued again within the scheduler's loop was taken for a lost one, and its run failed."""
    sensor = BatchSensor(
        task_id="wait", plan={}, look_interval_seconds=asked, aws_conn_id=None, region_name=None
    )
    assert sensor.poke_interval == used
    assert sensor.look_interval_seconds == asked
