variable "name" {
  description = "Beginning of every name, for example telecom-churn-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}[a-z0-9]$", var.name))
    error_message = "name takes 4 to 32 lower-case letters, digits and hyphens, and begins with a letter."
  }
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

variable "airflow_version" {
  description = "Airflow of the environment: one of the images that `make preflight` proves the bundle on."
  type        = string
  default     = "3.3.1"

  validation {
    condition     = contains(["3.2.1", "3.3.1"], var.airflow_version)
    error_message = "The bundle is proven on Airflow 3.2.1 and 3.3.1 only; prove another one with `make preflight` first."
  }
}

variable "environment_class" {
  description = "Size of the environment."
  type        = string
  default     = "mw1.small"

  validation {
    condition     = contains(["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"], var.environment_class)
    error_message = "MWAA's classes are mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge and mw1.2xlarge."
  }
}

variable "workers" {
  description = "Fewest and most Celery workers; mw1.micro has exactly one."
  type = object({
    min = number
    max = number
  })
  default = { min = 1, max = 2 }

  validation {
    condition     = var.workers.min >= 1 && var.workers.max >= var.workers.min && var.workers.max <= 25
    error_message = "Workers: 1 <= min <= max <= 25."
  }

  validation {
    condition     = var.environment_class != "mw1.micro" || (var.workers.min == 1 && var.workers.max == 1)
    error_message = "mw1.micro has exactly one worker: set workers to { min = 1, max = 1 }."
  }
}

variable "webserver_access_mode" {
  description = "PRIVATE_ONLY: the Airflow UI answers inside the network only. PUBLIC_ONLY: also outside, behind IAM."
  type        = string
  default     = "PRIVATE_ONLY"

  validation {
    condition     = contains(["PRIVATE_ONLY", "PUBLIC_ONLY"], var.webserver_access_mode)
    error_message = "webserver_access_mode is PRIVATE_ONLY or PUBLIC_ONLY."
  }
}

variable "weekly_maintenance_window_start" {
  description = "When AWS may restart the environment, UTC, such as SUN:03:30."
  type        = string
  default     = "SUN:03:30"

  validation {
    condition     = can(regex("^(MON|TUE|WED|THU|FRI|SAT|SUN):([01][0-9]|2[0-3]):(00|30)$", var.weekly_maintenance_window_start))
    error_message = "The maintenance window is a day and a half hour, such as SUN:03:30."
  }
}

variable "execution_role_arn" {
  description = "Role of Airflow."
  type        = string
}

variable "artifact_bucket_arn" {
  description = "ARN of the bucket with DAGs and bundle."
  type        = string
}

variable "dags_path" {
  description = "Folder of the bucket that DAGs are read from."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets; MWAA takes exactly two, in different zones: the first two are used."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "MWAA needs two private subnets in different availability zones."
  }
}

variable "security_group_ids" {
  description = "Security groups of Airflow."
  type        = list(string)
}
