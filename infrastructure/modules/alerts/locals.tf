locals {
  # drift: what the data did. operations: what the machinery did.
  topics = toset(["drift", "operations"])

  rules = {
    model-package-state = {
      description = "A model was registered, approved or rejected"
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Model Package State Change"]
        detail      = { ModelPackageGroupName = var.model_package_groups }
      }
      paths = {
        package = "$.detail.ModelPackageArn"
        status  = "$.detail.ModelApprovalStatus"
      }
      text = "\"Model <package> is now <status>.\""
    }
    processing-job-failed = {
      description = "A processing job of this project failed or was stopped"
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Processing Job State Change"]
        detail = {
          ProcessingJobName   = [{ prefix = "churn-" }]
          ProcessingJobStatus = ["Failed", "Stopped"]
        }
      }
      paths = {
        job    = "$.detail.ProcessingJobName"
        status = "$.detail.ProcessingJobStatus"
        reason = "$.detail.FailureReason"
      }
      text = "\"Processing job <job>: <status>. <reason>\""
    }
    training-job-failed = {
      description = "A training job of this project failed or was stopped"
      pattern = {
        source      = ["aws.sagemaker"]
        detail-type = ["SageMaker Training Job State Change"]
        detail = {
          TrainingJobName   = [{ prefix = "churn-" }]
          TrainingJobStatus = ["Failed", "Stopped"]
        }
      }
      paths = {
        job    = "$.detail.TrainingJobName"
        status = "$.detail.TrainingJobStatus"
        reason = "$.detail.FailureReason"
      }
      text = "\"Training job <job>: <status>. <reason>\""
    }
  }
}
