"""Retrain the churn model.

Takes raw customer data in S3 to a model package that waits for a person's approval:
**prepare_run → preprocess → train → evaluate → accuracy_gate → register_model_package**.
The three middle tasks are SageMaker jobs; a closed gate skips the registration and says why.

#### Schedule

Daily at midnight UTC, one run at a time, never for days gone by. The environment variable
`CHURN_RETRAINING_SCHEDULE` holds another cron expression or preset, or `none` for runs by hand only.

#### What can be set

Every parameter has a default, which the environment variable `CHURN_RETRAINING_PARAMETERS` (a JSON object)
changes for all runs that are told nothing else; the trigger form shows the same texts. A name that is not
listed here is refused, so a spelling mistake cannot be ignored silently.

{parameters}

#### A worked example

Two months of customers of another source, a gentler accuracy rule, and cheaper instances:

```json
{{
  "input_data_uri": "s3://my-churn-data/raw/2026-10/",
  "schema": "ibm_telco",
  "algorithm": "hist_gradient_boosting",
  "hyperparameters": {{"learning_rate": 0.05}},
  "gate_metric": "accuracy",
  "accuracy_threshold": 0.78,
  "use_spot_instances": true,
  "reason": "October data, threshold agreed with the retention team"
}}
```

#### Running it again

- **A retry** after a lost worker, triggerer or scheduler follows the job that already runs (or has
  completed); after a failed job it starts a new attempt under the next name.
- **Clearing a finished task** runs its job anew; every attempt writes to an S3 prefix of its own. Clearing
  `prepare_run` as well looks for data anew and makes a new plan.
- **The data of a run are those that `prepare_run` found.** `preprocess` compares them again before it starts
  a job, and refuses when a file was added, replaced or removed since.
- **Marking or clearing a task while it runs**, a time-out, and the end of the run all stop its job. One gap:
  a deferred task that is marked before the triggerer has taken it up (a second, or as long as no triggerer
  runs) leaves its job to `max_runtime_seconds`; clearing the task stops it.
- **Registration** happens once per run and model, however often its task runs or the run is cleared: the
  same run id and the same content of the model's files are the same package.
- **To resume** a failed run, mend the cause and clear the failed task (with its downstream tasks). To use
  changed data or parameters, trigger a new run: a run's plan is frozen by `prepare_run`.

#### What is registered about the data

`dataset_fingerprint` is of the names, sizes and ETags of the files that `prepare_run` found,
`data_fingerprint` of the rows that `preprocess` read and kept. `plan_uri` is the run's whole plan, with
`input_data_uri`; the package has that address itself where a property holds it unchanged (256 characters).

#### Where to look

The run's note and the log of `accuracy_gate` tell the verdict in a sentence; `gate_decision.json` and
`evaluation.html` lie beside `evaluation.json` in the artifact bucket under `retraining/<run>/evaluate/`.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG

from include.airflow_tasks import retraining_tasks as tasks
from include.airflow_tasks.dag_parameters import airflow_params, describe_parameters
from include.airflow_tasks.retraining_time_limit import longest_run
from include.airflow_tasks.task_settings import default_arguments
from include.settings.deployment_parameters import deployed_table
from include.settings.environment import read_operator_settings
from include.settings.retraining_table import PARAMETERS

settings = read_operator_settings()
arguments = default_arguments(settings)
parameters = deployed_table(PARAMETERS, settings.retraining_parameters)

with DAG(
    dag_id="churn_retraining",
    dag_display_name="Churn: retrain the model",
    description="Raw churn data to a model package that waits for approval, behind an accuracy gate",
    doc_md=__doc__.format(parameters=describe_parameters(parameters)),
    schedule=settings.retraining_schedule,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # All tries of all jobs at the longest max_runtime_seconds: ten days. With the default of an hour the
    # tasks' own limits end a stuck run long before.
    dagrun_timeout=longest_run(arguments),
    params=airflow_params(parameters),
    default_args=arguments,
    tags=["churn", "retraining", "sagemaker"],
) as dag:
    plan = tasks.prepare_run()
    preprocess = tasks.preprocess(plan, settings)
    train = tasks.train(plan, preprocess.output, settings)
    evaluate = tasks.evaluate(plan, preprocess.output, train.output, settings)
    gate = tasks.accuracy_gate(plan, evaluate.output)
    package = tasks.register_model_package(
        plan, preprocess.output, train.output, evaluate.output, gate[tasks.GATE_DECISION_KEY]
    )

    plan >> preprocess >> train >> evaluate >> gate >> package
