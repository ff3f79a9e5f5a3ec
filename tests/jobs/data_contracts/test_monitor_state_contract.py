"""monitor_state.json is written by the job and merged by Airflow: both must mean the same file."""

import json

from include.data_contracts import monitor_state
from include.data_contracts.monitor_state import MonitorStateDays
from include.drift_statistics.daily_evidence import DayEvidence
from include.drift_statistics.sequential_monitor import MonitorState
from sagemaker_jobs import monitoring_state
from sagemaker_jobs.monitoring_state import MonitoringState, RecordedDay


def state(*dates):
    begun = MonitorState("telecom-churn/3")
    made = MonitoringState("telecom-churn/3", "ab" * 32, None, begun, begun)
    for date in dates:
        evidence = DayEvidence(date, "no_drift", 10)
        made = made.with_day(RecordedDay(date, "no_drift", 10), evidence, evidence)
    return made


def test_monitor_state_when_the_job_wrote_it_then_airflow_reads_it_whole():
    written = json.loads(state("2026-11-23", "2026-11-24").to_json())
    assert MonitorStateDays.from_mapping(written).to_mapping() == written


def test_monitor_state_when_airflow_merged_it_then_it_is_what_the_job_would_have_written():
    def read(*dates):
        return MonitorStateDays.from_mapping(json.loads(state(*dates).to_json()))

    merged = read("2026-11-22", "2026-11-24").with_day_of(read("2026-11-22", "2026-11-23"), "2026-11-23")
    again = MonitoringState.from_mapping(json.loads(json.dumps(merged.to_mapping())))
    assert again == state("2026-11-22", "2026-11-23", "2026-11-24")


def test_monitor_state_when_named_then_alike_on_both_sides():
    assert (monitor_state.CONTRACT, monitor_state.VERSION) == (
        monitoring_state.CONTRACT,
        monitoring_state.VERSION,
    )
