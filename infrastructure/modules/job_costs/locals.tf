locals {
  function_name = "${var.name}-job-costs"
  event_pattern = {
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Processing Job State Change", "SageMaker Training Job State Change"]
    detail = {
      "$or" = [
        { ProcessingJobName = [{ prefix = "churn-" }], ProcessingJobStatus = ["Completed", "Failed", "Stopped"] },
        { TrainingJobName = [{ prefix = "churn-" }], TrainingJobStatus = ["Completed", "Failed", "Stopped"] },
      ]
    }
  }
}
