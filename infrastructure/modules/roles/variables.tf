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

variable "artifact_bucket" {
  description = "Bucket for code, models, reports and evidence."
  type        = string
}

variable "data_bucket" {
  description = "Bucket for raw data, daily batches and labels."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts everything."
  type        = string
}

variable "airflow_environment_name" {
  description = "Name of the MWAA environment whose logs and queues the execution role may use."
  type        = string
}

variable "dags_path" {
  description = "Folder of the artifact bucket that MWAA reads DAGs from."
  type        = string
}

variable "bundle_path" {
  description = "Folder of the artifact bucket with plugins.zip, requirements.txt and startup.sh."
  type        = string
}

variable "model_package_groups" {
  description = "Model package groups that runs may register in, without the -synthetic ones, which follow by themselves."
  type        = list(string)

  validation {
    condition     = length(var.model_package_groups) > 0 && alltrue([for name in var.model_package_groups : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,52}$", name)) && !endswith(name, "-synthetic")])
    error_message = "Each group takes up to 53 letters, digits and hyphens and does not end in -synthetic."
  }
}

variable "metric_namespace" {
  description = "CloudWatch namespace of the project's own metrics."
  type        = string
}

variable "drift_topic_arn" {
  description = "Topic of the drift alerts that Airflow publishes."
  type        = string
}

variable "approver_principal_arns" {
  description = "Who may take the approver role: people's roles or users. Empty: nobody, so that nothing can be approved."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.approver_principal_arns : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[a-zA-Z-]+/.+$", arn))])
    error_message = "Each approver is the ARN of a role or user, never an account or *."
  }
}

variable "approver_requires_mfa" {
  description = "Whether taking the approver role needs a second factor; false where single sign-on asks for it already."
  type        = bool
  default     = true
}
