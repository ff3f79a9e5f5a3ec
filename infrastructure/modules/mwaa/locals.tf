locals {
  log_kinds = toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"])
}
