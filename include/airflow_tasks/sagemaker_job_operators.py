"""The provider's SageMaker operators with `SageMakerJobMixin` in front: one job per task, exactly once.

What is added, and why: names made from the run so that every retry finds its job again, waiting bounded by
the job's own maximum, region and connection that survive deferral, failures told in one line, and jobs
stopped whenever nobody waits for them any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
)

from include.airflow_tasks.job_kinds import PROCESSING, TRAINING
from include.airflow_tasks.sagemaker_job_mixin import (
    PlanReader,
    RequestBuilder,
    ResultReader,
    SageMakerJobMixin,
    StartCheck,
)
from include.data_contracts.job_result import JobResult


class ProcessingJobOperator(SageMakerJobMixin, SageMakerProcessingOperator):  # type: ignore[misc]
    """Run one stage as a SageMaker processing job; see `SageMakerJobMixin`.

    `plan` is a mapping that `read_plan` turns into a `RunPlan`, and `upstream_results` maps a builder's
    argument name to a mapping that `read_result` reads (a `JobResult` unless told otherwise), both usually
    another task's output; `build_request(plan, job_name, **upstream)` is pure. `poll_interval_seconds` is
    the time between two looks at the job. `check_start(plan)` is called before a new job is started, and
    raises to prevent it; a job that is found and followed is past that.
    """

    kind = PROCESSING
    template_fields: Sequence[str] = (
        *SageMakerProcessingOperator.template_fields,
        "plan",
        "upstream_results",
    )

    def __init__(
        self,
        *,
        stage: str,
        plan: Any,
        read_plan: PlanReader,
        build_request: RequestBuilder,
        upstream_results: Mapping[str, Any] | None = None,
        read_result: ResultReader = JobResult.from_mapping,
        poll_interval_seconds: float = 30,
        check_start: StartCheck | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(config={}, **kwargs)
        self._keep(
            stage,
            plan,
            read_plan,
            build_request,
            upstream_results,
            read_result,
            poll_interval_seconds,
            check_start,
        )


class TrainingJobOperator(SageMakerJobMixin, SageMakerTrainingOperator):  # type: ignore[misc]
    """Run one stage as a SageMaker training job; arguments as for `ProcessingJobOperator`."""

    kind = TRAINING
    template_fields: Sequence[str] = (*SageMakerTrainingOperator.template_fields, "plan", "upstream_results")

    def __init__(
        self,
        *,
        stage: str,
        plan: Any,
        read_plan: PlanReader,
        build_request: RequestBuilder,
        upstream_results: Mapping[str, Any] | None = None,
        read_result: ResultReader = JobResult.from_mapping,
        poll_interval_seconds: float = 30,
        check_start: StartCheck | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(config={}, **kwargs)
        self._keep(
            stage,
            plan,
            read_plan,
            build_request,
            upstream_results,
            read_result,
            poll_interval_seconds,
            check_start,
        )
