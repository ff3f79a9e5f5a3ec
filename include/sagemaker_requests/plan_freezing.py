"""Complete a plan: everything that follows from the run's identity, parameters and environment."""

from include.data_contracts.retraining_plan import RetrainingPlan
from include.data_contracts.run_plan import JobBundle
from include.sagemaker_requests.container_images import stage_images
from include.settings.environment import Environment
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.s3_layout import run_hash, run_prefix, run_slug, schema_uri


def freeze_plan(
    *,
    dag_id: str,
    run_id: str,
    run_after: str,
    parameters: RetrainingParameters,
    environment: Environment,
    job_bundle: JobBundle,
    input_data_uri: str,
    data_origin: str,
    invents_customers: bool,
    dataset_fingerprint: str,
) -> RetrainingPlan:
    """Return the whole plan; raises UnknownImageError when SageMaker has no image in the region."""
    slug, hash_digits = run_slug(run_id), run_hash(dag_id, run_id)
    prefix = run_prefix(environment.artifact_bucket, slug, hash_digits)
    return RetrainingPlan(
        dag_id=dag_id,
        run_id=run_id,
        run_slug=slug,
        run_hash=hash_digits,
        run_after=run_after,
        parameters=parameters,
        environment=environment,
        images=stage_images(parameters.algorithm, environment.region),
        job_bundle=job_bundle,
        input_data_uri=input_data_uri,
        data_origin=data_origin,
        invents_customers=invents_customers,
        dataset_fingerprint=dataset_fingerprint,
        schema_uri=schema_uri(prefix),
        run_prefix=prefix,
    )
