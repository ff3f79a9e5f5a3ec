"""Start `churn_retraining` when drift asked for it, once however often it is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

RETRAINING_DAG_ID = "churn_retraining"


class RetrainingTrigger(TriggerDagRunOperator):  # type: ignore[misc]
    """Start the run that `request` names, or skip and say why not.

    `request` is the decision of `request_retraining`: `requested`, `reason`, `run_id`, `conf`. The run's id
    is the decision's, so a second trigger finds the run of the first and is skipped.
    """

    template_fields: Sequence[str] = ("request",)

    def __init__(self, *, request: Any, **kwargs: Any) -> None:
        super().__init__(
            trigger_dag_id=RETRAINING_DAG_ID,
            logical_date=None,
            skip_when_already_exists=True,
            deferrable=True,
            **kwargs,
        )
        self.request = request

    def execute(self, context: Context) -> Any:
        """Trigger or skip."""
        request: Mapping[str, Any] = self.request
        if not request["requested"]:
            raise AirflowSkipException(f"No retraining: {request['reason']}")
        self.trigger_run_id, self.conf = str(request["run_id"]), dict(request["conf"])
        return super().execute(context)
