locals {
  log_kinds = toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"])

  has_bundle = var.bundle_directory != null
  bundle_files = local.has_bundle ? {
    plugins = "plugins.zip"
    # The newest image has the plain name (scripts/mwaa_images.py).
    requirements = var.airflow_version == "3.3.1" ? "requirements.txt" : "requirements-${var.airflow_version}.txt"
  } : {}

  exports = join("", [for name in sort(keys(var.settings)) : "export ${name}='${var.settings[name]}'\n"])
}
