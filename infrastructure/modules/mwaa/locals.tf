locals {
  log_kinds = toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"])

  has_bundle = var.bundle_directory != null
  bundle_files = local.has_bundle ? {
    plugins      = "plugins.zip"
    requirements = "requirements.txt"
  } : {}

  exports = join("", [for name in sort(keys(var.settings)) : "export ${name}='${var.settings[name]}'\n"])
}
