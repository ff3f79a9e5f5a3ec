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

variable "deletion_window_days" {
  description = "Days between asking for the key's deletion and losing everything it encrypts."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS takes a deletion window of 7 to 30 days."
  }
}
