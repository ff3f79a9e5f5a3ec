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

variable "subscriptions" {
  description = "Who hears of what, by a name of one's own; topic is drift or operations."
  type = map(object({
    topic    = string
    protocol = string
    endpoint = string
  }))
  default = {}

  validation {
    condition     = alltrue([for one in values(var.subscriptions) : contains(["drift", "operations"], one.topic)])
    error_message = "A subscription's topic is drift or operations."
  }

  validation {
    condition     = alltrue([for one in values(var.subscriptions) : contains(["email", "https", "lambda", "sms", "sqs"], one.protocol)])
    error_message = "A subscription's protocol is email, https, lambda, sms or sqs."
  }
}

variable "model_package_groups" {
  description = "Model package groups whose changes of state are told."
  type        = list(string)
}
