variable "region" {
  description = "AWS region of everything."
  type        = string
}

variable "availability_zones" {
  description = "Two zones of the region, one private subnet in each."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 2
    error_message = "Name at least two availability zones of the region."
  }
}

variable "subscriptions" {
  description = "Who hears of what: topic is drift or operations, protocol for example email."
  type = map(object({
    topic    = string
    protocol = string
    endpoint = string
  }))
}

variable "approver_principal_arns" {
  description = "Roles or users of the people who may approve a model."
  type        = list(string)
}

variable "instance_hour_prices" {
  description = "US dollars per hour of each SageMaker instance type in use, from the AWS price list of the region."
  type        = map(number)
}

variable "bundle_directory" {
  description = "Folder that `make bundle` wrote, for the environment's first start; null starts it without."
  type        = string
  default     = null
}

variable "function_archive_directory" {
  description = "Folder that `make function-archives` wrote."
  type        = string
  default     = "../../../dist/functions"
}

variable "manage_sagemaker_log_groups" {
  description = "False where another environment of the account makes the log groups of SageMaker's jobs, or they exist."
  type        = bool
  default     = true
}

variable "is_monitoring_expected" {
  description = "Whether silence of the drift metrics is told: set it to true when the first model is approved."
  type        = bool
  default     = false
}
