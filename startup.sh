# shellcheck shell=sh
# What every Airflow process on MWAA runs before it starts. The settings of the deployment (CHURN_..., from
# Terraform) are put in front of these lines by `make deploy`.
# MWAA reads the variables that are left when the script ends: it must not `exit`, and what fails must not stop
# Airflow. MWAA's own variables (AWS_REGION, PYTHONPATH, AIRFLOW_HOME ...) cannot be set here.

# A startup log without this line belongs to a deployment whose settings never arrived.
if [ -n "${CHURN_ARTIFACT_BUCKET:-}" ]; then
  echo "churn: settings are there, artifacts go to ${CHURN_ARTIFACT_BUCKET}"
else
  echo "churn: CHURN_ARTIFACT_BUCKET is not set, so no run can begin; deploy with \`make deploy\`" >&2
fi
