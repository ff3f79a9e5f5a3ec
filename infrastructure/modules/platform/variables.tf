variable "name" {
  description = "Beginning of every name, for example telecom-churn-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}[a-z0-9]$", var.name))
    error_message = "name takes 4 to 32 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "availability_zones" {
  description = "Zones of the network that is made, one private subnet in each."
  type        = list(string)
}

variable "existing_network" {
  description = "A network that is there already; null makes one."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
  default = null
}

variable "vpc_cidr" {
  description = "Addresses of the network that is made."
  type        = string
  default     = "10.20.0.0/16"
}

variable "nat_gateway_enabled" {
  description = "Whether Airflow may call the internet: needed while requirements.txt installs from PyPI."
  type        = bool
  default     = true
}

variable "interface_endpoints" {
  description = "AWS services reached without leaving the network that is made; null: those that are needed, more of them without a NAT gateway."
  type        = set(string)
  default     = null
}

variable "airflow_version" {
  description = "Airflow of the environment."
  type        = string
  default     = "3.3.1"
}

variable "environment_class" {
  description = "Size of the Airflow environment."
  type        = string
}

variable "workers" {
  description = "Fewest and most Celery workers."
  type = object({
    min = number
    max = number
  })
}

variable "webserver_access_mode" {
  description = "PRIVATE_ONLY or PUBLIC_ONLY."
  type        = string
}

variable "function_archive_directory" {
  description = "Folder that `make function-archives` wrote."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "noncurrent_version_days" {
  description = "Days that an overwritten or deleted object can be brought back."
  type        = number
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete buckets that still hold objects."
  type        = bool
  default     = false
}

variable "model_package_group" {
  description = "Model package group of models made from real data."
  type        = string
  default     = "telecom-churn"
}

variable "other_model_package_groups" {
  description = "Further groups that a run's model_package_group may name; everything else is denied to Airflow."
  type        = list(string)
  default     = []
}

variable "metric_namespace" {
  description = "CloudWatch namespace of the project's own metrics."
  type        = string
  default     = "TelecomChurn"

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "A CloudWatch namespace has letters, digits and _ . / # - and does not begin with AWS/."
  }
}

variable "retraining_schedule" {
  description = "Cron expression or preset of the retraining DAG, in UTC; none runs it on new data and by hand only."
  type        = string
  default     = "@daily"

  validation {
    condition     = can(regex("^(none|@(hourly|daily|weekly|monthly|quarterly|yearly)|[0-9*/,A-Z-]+( [0-9*/,A-Z-]+){4})$", var.retraining_schedule))
    error_message = "A schedule is none, a preset such as @daily, or a cron expression of five fields such as 30 2 * * *."
  }
}

variable "retraining_parameters" {
  description = "Defaults of the retraining DAG's parameters for runs that are given none, as a JSON object: jsonencode({ accuracy_threshold = 0.82 })."
  type        = string
  default     = "{}"

  validation {
    condition     = can(keys(jsondecode(var.retraining_parameters))) && !strcontains(var.retraining_parameters, "'")
    error_message = "Give a JSON object of parameter names and values, without a single quote, such as jsonencode({...})."
  }
}

variable "drift_schedule" {
  description = "Cron expression or preset of the monitoring DAG, in UTC; none runs it by hand only."
  type        = string
  default     = "@daily"

  validation {
    condition     = can(regex("^(none|@(hourly|daily|weekly|monthly|quarterly|yearly)|[0-9*/,A-Z-]+( [0-9*/,A-Z-]+){4})$", var.drift_schedule))
    error_message = "A schedule is none, a preset such as @daily, or a cron expression of five fields such as 30 2 * * *."
  }
}

variable "drift_parameters" {
  description = "Defaults of the monitoring DAG's parameters for runs that are given none, as a JSON object: jsonencode({ retrain_on_drift = true })."
  type        = string
  default     = "{}"

  validation {
    condition     = can(keys(jsondecode(var.drift_parameters))) && !strcontains(var.drift_parameters, "'")
    error_message = "Give a JSON object of parameter names and values, without a single quote, such as jsonencode({...})."
  }
}

variable "retraining_on_new_data" {
  description = "Whether a complete delivery of raw data starts a retraining."
  type        = bool
  default     = true
}

variable "network_isolation" {
  description = "Whether job containers are cut off every network; SageMaker still moves their inputs and outputs."
  type        = bool
  default     = true
}

variable "subscriptions" {
  description = "Who hears of what: topic is drift or operations."
  type = map(object({
    topic    = string
    protocol = string
    endpoint = string
  }))
}

variable "approver_principal_arns" {
  description = "Who may take the approver role."
  type        = list(string)
}

variable "approver_requires_mfa" {
  description = "Whether taking the approver role needs a second factor."
  type        = bool
  default     = true
}

variable "instance_hour_prices" {
  description = "US dollars per hour of each SageMaker instance type in use, from the AWS price list of the region."
  type        = map(number)
}

variable "most_job_cost_per_day" {
  description = "US dollars that SageMaker jobs may cost in a day before the alarm."
  type        = number
}

variable "monthly_budget" {
  description = "US dollars per month of everything that carries this environment's tags."
  type        = number
}

variable "manage_sagemaker_log_groups" {
  description = "Whether to make /aws/sagemaker/ProcessingJobs and TrainingJobs with a retention; false where the account has them already."
  type        = bool
  default     = true
}

variable "is_monitoring_expected" {
  description = "Whether silence of the drift metrics is told: false until the first model is approved."
  type        = bool
  default     = true
}
