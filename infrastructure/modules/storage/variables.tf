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
  description = "Key that encrypts every object."
  type        = string
}

variable "noncurrent_version_days" {
  description = "Days that an overwritten or deleted object can be brought back."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days >= 1
    error_message = "Keep noncurrent versions for at least one day."
  }
}

variable "monitoring_run_days" {
  description = "Days that the working files of a monitoring run are kept; what it found out is kept for good."
  type        = number
  default     = 400

  validation {
    condition     = var.monitoring_run_days >= 30
    error_message = "Keep the files of monitoring runs for at least 30 days: runbooks look into them."
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete buckets that still hold objects. Never in production."
  type        = bool
  default     = false
}
