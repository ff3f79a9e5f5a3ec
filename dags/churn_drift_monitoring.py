"""Compare each day's customers with what the approved model was trained on.

**prepare_monitoring → wait_for_batch → batch_arrived → detect_drift → record_day**, then
**publish_metrics**, **publish_alert** and **request_retraining → trigger_retraining**.
`detect_drift` is a SageMaker job: it scores the batch with the approved model and writes `drift_report.json`
and `drift_report.html`. A message is sent only when something changed that matters, and once.

#### Schedule

Daily at midnight UTC for the day before; each day waits for the one before, a run that names its
`batch_date` for nobody. The environment variable `CHURN_DRIFT_SCHEDULE` holds another cron expression or
preset, or `none` for runs by hand only. A day whose batch has not come within `batch_grace_hours` is recorded
as missing, and the first such day is an alert of its own. Without an approved model a run ends skipped, and
its note says so.

#### What can be set

Every parameter has a default, which the environment variable `CHURN_DRIFT_PARAMETERS` (a JSON object) changes
for all runs that are told nothing else, those of the schedule among them; the trigger form shows the same
texts. A name that is not listed here is refused, so a spelling mistake cannot be ignored silently.

{parameters}

#### A worked example

A batch from another place, tried against version 4 before anybody approves it, without telling anyone:

```json
{{
  "batch_date": "2026-11-24",
  "batch_uri": "s3://my-churn-data/extra/2026-11-24/",
  "reference_version": "4",
  "correction": "bh",
  "batch_grace_hours": 0,
  "publish_alerts": false,
  "publish_metrics": false,
  "reason": "does version 4 see the price change as drift?"
}}
```

#### Running it again

- **A retry** follows the job that already runs or has completed; nothing is sent or counted twice.
- **The same day again**, by clearing its run or by a new run, replaces that day's evidence and record and
  changes no other day; nobody is told twice, and people are told when the day has come to something else.
- **Days gone by**: `airflow backfill create --dag-id churn_drift_monitoring --from-date 2026-10-01
  --to-date 2026-11-29 --max-active-runs 1` gives the reports of daily runs. The dates are those of the runs:
  each judges the day before. With more active runs a day waits until an earlier one is recorded, so they are
  judged in order all the same.
- **To resume** a failed run, mend the cause and clear the failed task (with its downstream tasks). To use
  changed parameters, trigger a new run: a run's plan is frozen by `prepare_monitoring`.
- **A retraining** that drift asked for has an id made from the model and the day: asking twice starts one.

#### Where to look

The run's note tells the day's verdict in a sentence. Per model version the artifact bucket keeps
`monitoring/<group>/<version>/days/<date>/day.json`, which names the day's report, `monitor_state.json` and
the scores of every batch; per group `monitoring/<group>/messages/` and `deliveries/`; everything of one run
lies under `monitoring-runs/<run>/`.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from include.airflow_tasks import monitoring_tasks as tasks
from include.airflow_tasks.dag_parameters import airflow_params, describe_parameters
from include.airflow_tasks.task_settings import default_arguments
from include.settings.deployment_parameters import deployed_table
from include.settings.environment import read_operator_settings
from include.settings.monitoring_table import PARAMETERS

settings = read_operator_settings()
parameters = deployed_table(PARAMETERS, settings.drift_parameters)

with DAG(
    dag_id="churn_drift_monitoring",
    dag_display_name="Churn: watch for drift",
    description="Each day's batch against the approved model: metrics daily, an alert when it matters",
    doc_md=__doc__.format(parameters=describe_parameters(parameters)),
    schedule=settings.drift_schedule,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Days of the schedule wait for each other in `wait_for_batch`; a run for a named day waits for nobody.
    max_active_runs=8,
    # The longest grace, time to settle, a job of a day, and a day of trying to publish.
    dagrun_timeout=timedelta(hours=174),
    params=airflow_params(parameters),
    default_args=default_arguments(settings),
    tags=["churn", "drift", "sagemaker"],
) as dag:
    plan = tasks.prepare_monitoring()
    waited = tasks.wait_for_batch(plan, settings)
    arrived = tasks.batch_arrived(waited.output)
    drift = tasks.detect_drift(plan, waited.output, settings)
    day = tasks.record_day(plan, waited.output, drift.output)
    metrics, alert = tasks.publish(plan, day, settings)
    request = tasks.request_retraining(plan, day)
    retraining = tasks.trigger_retraining(request)

    plan >> waited >> arrived >> drift >> day >> [metrics, alert, request]
    request >> retraining
