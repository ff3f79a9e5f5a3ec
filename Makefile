# Every command of the project. `make help` lists them; each sets up what it needs, once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.12
export PYTHON

# --- environments: one per image, never mixed (docs/architecture.md) ---------------------------------
TOOLS := .venvs/tools/.ready
AIRFLOW := .venvs/airflow/.ready-airflow
DEVELOPMENT := .venvs/airflow/.ready-development
LOCAL_AWS := .venvs/local_aws/.ready-local_aws
SKLEARN_JOB := .venvs/sklearn_job/.ready-sklearn_job
SKLEARN_JOB_TESTS := .venvs/sklearn_job/.ready-job_tests
PANDAS3_JOB_TESTS := .venvs/sklearn_job_pandas3/.ready-sklearn_job_pandas3-job_tests
TENSORFLOW_JOB := .venvs/tensorflow_job/.ready-tensorflow_job-job_tests
IMAGE_TABLE := .venvs/image_table/.ready-image_table
POLICY_CHECK := .venvs/policy_check/.ready-policy_check
MWAA_3_3_1 := .venvs/preflight-3.3.1/.ready-preflight-3.3.1
MWAA_3_2_1 := .venvs/preflight-3.2.1/.ready-preflight-3.2.1

$(TOOLS): requirements/tools.lock
	@command -v $(PYTHON) >/dev/null || { echo "CPython 3.12 is needed: install it, or name it with make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "environment tools: installing uv, which makes the other environments ..." >&2
	@$(PYTHON) -m venv .venvs/tools && \
	  .venvs/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.lock && \
	  touch $@ && echo "environment tools: ready in $$SECONDS s" >&2
$(AIRFLOW): requirements/airflow.lock | $(TOOLS)
	@scripts/make_environment airflow airflow
$(DEVELOPMENT): requirements/development.lock $(AIRFLOW)
	@scripts/make_environment airflow development
$(LOCAL_AWS): requirements/local_aws.lock | $(TOOLS)
	@scripts/make_environment local_aws local_aws
$(SKLEARN_JOB): requirements/sklearn_job.lock | $(TOOLS)
	@scripts/make_environment sklearn_job sklearn_job
$(SKLEARN_JOB_TESTS): requirements/job_tests.lock $(SKLEARN_JOB)
	@scripts/make_environment sklearn_job job_tests
$(PANDAS3_JOB_TESTS): requirements/sklearn_job_pandas3.lock requirements/job_tests.lock | $(TOOLS)
	@scripts/make_environment sklearn_job_pandas3 sklearn_job_pandas3 job_tests
$(TENSORFLOW_JOB): requirements/tensorflow_job.lock requirements/job_tests.lock | $(TOOLS)
	@scripts/make_environment tensorflow_job tensorflow_job job_tests
$(IMAGE_TABLE): requirements/image_table.lock | $(TOOLS)
	@scripts/make_environment image_table image_table
$(POLICY_CHECK): requirements/policy_check.lock | $(TOOLS)
	@scripts/make_environment policy_check policy_check
$(MWAA_3_3_1): requirements/preflight/3.3.1.lock | $(TOOLS)
	@scripts/make_environment preflight-3.3.1 preflight/3.3.1
$(MWAA_3_2_1): requirements/preflight/3.2.1.lock | $(TOOLS)
	@scripts/make_environment preflight-3.2.1 preflight/3.2.1

.PHONY: help
help:  ## List every target with one line
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-24s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: environments environment-jobs environment-tensorflow
environments: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB)  ## Install what `make run` needs (it does so by itself)
environment-jobs: $(SKLEARN_JOB_TESTS)  ## Install the scikit-learn job environment (scripts/run_job does so by itself)
environment-tensorflow: $(TENSORFLOW_JOB)  ## Install the TensorFlow job environment (a Keras run does so by itself)

# --- the laptop: Airflow and an AWS stand-in, bound to the loopback ---------------------------------
export CHURN_CALLER_DIR := $(CURDIR)
export DATA DATE FROM TO LABELS SCHEMA CONF VERSION AIRFLOW_PORT AWS_PORT
LAPTOP := PYTHONPATH=. .venvs/airflow/bin/python -m local_airflow
# A Keras run needs the TensorFlow environment, nobody else does.
KERAS_WANTED := $(if $(findstring keras_mlp,$(value CONF)),$(TENSORFLOW_JOB))

.PHONY: run approve drift drift-demo drift-backfill up down status
run: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB) $(KERAS_WANTED)  ## Retrain once, end to end: make run [DATA=path SCHEMA=name CONF='{...}']
	@$(LAPTOP) run
approve: $(AIRFLOW) $(LOCAL_AWS)  ## Approve the newest registered model, as a person does: make approve [VERSION=n]
	@$(LAPTOP) approve
drift: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB)  ## Compare a batch with the model's training data: make drift DATA=path [DATE=YYYY-MM-DD SCHEMA=name LABELS=path CONF='{...}']
	@$(LAPTOP) drift
drift-demo: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB)  ## Show a quiet day, a shifted day, a broken feed and a missing batch: make drift-demo [DATA=path]
	@$(LAPTOP) drift-demo
drift-backfill: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB)  ## Monitor days gone by: make drift-backfill FROM=YYYY-MM-DD TO=YYYY-MM-DD [DATA=folder of days]
	@$(LAPTOP) drift-backfill
up: $(AIRFLOW) $(LOCAL_AWS) $(SKLEARN_JOB)  ## Start Airflow with everything wired; prints URL and login
	@$(LAPTOP) up
down:  ## Stop everything that `make up` started
	@[ ! -x .venvs/airflow/bin/python ] || $(LAPTOP) down
status:  ## Tell which parts of the laptop stack run
	@$(LAPTOP) status

# --- the compose stack: Airflow in containers as MWAA runs it (docs/running-in-containers.md) ---------
.PHONY: stack-up stack-down test-stack
stack-up:  ## Start Airflow in containers as MWAA runs it, with the AWS stand-in; prints URL and login
	@scripts/stack up
stack-down:  ## Remove the containers, networks and volumes that `make stack-up` made
	@scripts/stack down
test-stack: $(DEVELOPMENT) $(SKLEARN_JOB)  ## Test the compose stack from nothing to nothing; skipped, saying why, where no Docker engine can run
	@scripts/test_stack

# --- Amazon MWAA (docs/deploying.md) ------------------------------------------------------------------
.PHONY: bundle preflight deploy
bundle: $(AIRFLOW)  ## Build what goes to MWAA into dist/: DAGs, plugins.zip, requirements, startup.sh, job code, manifest
	@PYTHONPATH=. .venvs/airflow/bin/python -m scripts.build_mwaa_bundle
preflight: bundle $(MWAA_3_3_1) $(MWAA_3_2_1)  ## Build the bundle and prove it in environments like MWAA's images 3.3.1 and 3.2.1
	@PYTHONPATH=. .venvs/airflow/bin/python -m scripts.preflight
deploy: $(AIRFLOW)  ## Bring the proven bundle to MWAA and see that it runs: make deploy ENV=development [DRY_RUN=1] [ROLLBACK=1] [OUTPUTS=path]
	@[ -n "$(ENV)" ] || { echo "which environment? make deploy ENV=development or ENV=production" >&2; exit 2; }
	@PYTHONPATH=. .venvs/airflow/bin/python -m scripts.deploy_mwaa --environment "$(ENV)" $(if $(OUTPUTS),--outputs "$(OUTPUTS)") $(if $(DRY_RUN),--dry-run) $(if $(ROLLBACK),--rollback)

# --- proofs ------------------------------------------------------------------------------------------
TEST_ENVIRONMENTS := $(DEVELOPMENT) $(LOCAL_AWS) $(SKLEARN_JOB_TESTS) $(PANDAS3_JOB_TESTS) $(TENSORFLOW_JOB) $(IMAGE_TABLE) $(POLICY_CHECK) $(MWAA_3_3_1) $(MWAA_3_2_1)

.PHONY: test test-fast lint image-table
test: $(TEST_ENVIRONMENTS)  ## Run all tests: lint, types, units, jobs in every image, end to end
	@scripts/run_tests all
test-fast: $(DEVELOPMENT) $(LOCAL_AWS) $(SKLEARN_JOB_TESTS)  ## Run lint, types and the tests that need seconds
	@scripts/run_tests fast
lint: $(DEVELOPMENT) $(SKLEARN_JOB)  ## Check style, types and YAML
	@scripts/run_tests lint
image-table: $(IMAGE_TABLE)  ## Write the committed table of SageMaker image URIs anew with the SageMaker SDK
	@PYTHONPATH=. .venvs/image_table/bin/python scripts/write_image_table.py

# --- infrastructure: Terraform, checked without an account -------------------------------------------
.PHONY: function-archives infrastructure-check environment-policies policy-coverage
function-archives:  ## Zip the Lambda functions into dist/functions, where Terraform looks for them
	@PYTHONPATH=. $(PYTHON) -m scripts.build_function_archives
infrastructure-check:  ## Check the Terraform code: format, validity, tests of every module (no account, no network)
	@PYTHONPATH=. $(PYTHON) -m scripts.check_infrastructure
environment-policies: $(POLICY_CHECK)  ## Install AWS's list of IAM actions, which the policies are checked against
policy-coverage: $(AIRFLOW) $(POLICY_CHECK)  ## Judge recorded AWS calls by the policies: make policy-coverage [LOG=path]
	@.venvs/policy_check/bin/python scripts/check_policy_actions.py
	@PYTHONPATH=. .venvs/airflow/bin/python -m scripts.policy_coverage judge $(LOG)
