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

variable "archive" {
  description = "Zip of the function, made by scripts/build_function_archives.py."
  type        = string

  validation {
    condition     = endswith(var.archive, ".zip") && fileexists(var.archive)
    error_message = "The function has not been built: run `make function-archives` first."
  }
}

variable "metric_namespace" {
  description = "CloudWatch namespace of the project's own metrics."
  type        = string
}

variable "instance_hour_prices" {
  description = "US dollars per hour of each SageMaker instance type in use, from the AWS price list of the region."
  type        = map(number)

  validation {
    condition     = length(var.instance_hour_prices) > 0 && alltrue([for type, price in var.instance_hour_prices : startswith(type, "ml.") && price > 0])
    error_message = "Name at least one instance type (ml....) with its price above 0."
  }
}
