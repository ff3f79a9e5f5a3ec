variable "name" {
  description = "Beginning of every name, for example telecom-churn-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}[a-z0-9]$", var.name))
    error_message = "name takes 4 to 32 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "account" {
  description = "Account number, region and partition that every ARN of this module is made of."
  type = object({
    id        = string
    region    = string
    partition = string
  })
}

variable "kms_key_arn" {
  description = "Key that encrypts everything."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days
    )
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "metric_namespace" {
  description = "CloudWatch namespace of the project's own metrics."
  type        = string
}

variable "model_package_group" {
  description = "Model package group whose approved model is monitored."
  type        = string
}

variable "airflow_environment_name" {
  description = "MWAA environment whose runs are watched."
  type        = string
}

variable "operations_topic_arn" {
  description = "Topic that alarms and the budget publish to."
  type        = string
}

variable "dead_letter_queue_names" {
  description = "Queues in which nothing should ever lie."
  type        = list(string)
}

variable "most_job_cost_per_day" {
  description = "US dollars that SageMaker jobs may cost in a day before the alarm."
  type        = number

  validation {
    condition     = var.most_job_cost_per_day > 0
    error_message = "most_job_cost_per_day is above 0."
  }
}

variable "monthly_budget" {
  description = "US dollars per month of everything that carries this environment's tags."
  type        = number

  validation {
    condition     = var.monthly_budget > 0
    error_message = "monthly_budget is above 0."
  }
}

variable "look_back_hours" {
  description = "How far alarms on daily figures look back, and how long silence lasts before it is an alarm."
  type        = number
  default     = 42

  validation {
    # A figure is filed at 23:00 and its successor comes 25 hours later, 37 when a batch never came (12 hours of
    # grace), and takes up to two more to be seen.
    condition     = var.look_back_hours >= 40 && var.look_back_hours <= 168
    error_message = "look_back_hours lies between 40 (a day, 12 hours of grace, and the time a figure takes to be seen) and 168 (what an alarm can look back on)."
  }
}

variable "is_monitoring_expected" {
  description = "Whether silence is told: false until the first model is approved, because nothing is monitored before."
  type        = bool
  default     = true
}

variable "manage_sagemaker_log_groups" {
  description = "Whether to make the log groups of SageMaker's jobs; they are the account's, not one environment's."
  type        = bool
}
