"""The script-mode contract of the `sagemaker-training` toolkit (as of 4.8.0), without its process.

Hyperparameters arrive as strings and are JSON-decoded where possible; those that begin with `sagemaker_`
speak to the toolkit, the rest become `--name value` in sorted order and SM_HP_* variables.
tests/local_aws/test_script_mode_conformance.py compares this with the toolkit itself.
"""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "algo-1"
GROUP = "homogeneousCluster"
TOOLKIT_PREFIX = "sagemaker_"
TOOLKIT_HYPERPARAMETERS = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_region",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "default_user_module_name",
    "_tuning_objective_metric",
    "sagemaker_s3_output",
)


@dataclass(frozen=True)
class ScriptMode:
    """Everything the toolkit derives from the files below /opt/ml/input/config."""

    base: Path  # stands for /opt/ml
    hyperparameters: dict[str, str]
    input_data_config: dict[str, dict[str, str]]
    resource_config: dict[str, Any]
    job_name: str
    sent_environment: dict[str, str]

    def decoded(self) -> dict[str, Any]:
        """Return all hyperparameters, each JSON-decoded where it can be."""
        return {name: _decode(value) for name, value in self.hyperparameters.items()}

    def user_hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters that are the script's own."""
        return {name: value for name, value in self.decoded().items() if not _is_toolkit_name(name)}

    def framework_parameters(self) -> dict[str, Any]:
        """Return the `sagemaker_…` hyperparameters the toolkit itself does not read."""
        names = self.decoded()
        return {
            name: value
            for name, value in names.items()
            if name.startswith(TOOLKIT_PREFIX) and name not in TOOLKIT_HYPERPARAMETERS
        }

    @property
    def program(self) -> str | None:
        """The script that is run."""
        from_environment = self.sent_environment.get("SAGEMAKER_PROGRAM")
        chosen = from_environment or self.decoded().get("sagemaker_program")
        return None if chosen is None else str(chosen)

    @property
    def submit_directory(self) -> str:
        """Where the script's archive or directory lies."""
        return str(self.decoded().get("sagemaker_submit_directory", self.base / "code"))

    def arguments(self) -> list[str]:
        """Return the command-line arguments of the script."""
        arguments: list[str] = []
        for name, value in sorted(self.user_hyperparameters().items()):
            arguments += [_option(name), _argument(value)]
        return arguments

    def environment(self) -> dict[str, str]:
        """Return the variables the toolkit sets for the script."""
        values = self._properties()
        user = self.user_hyperparameters()
        named = {
            "hps": user,
            "framework_params": self.framework_parameters(),
            "channels": sorted(self.input_data_config),
            "training_env": values,
            "user_args": self.arguments(),
            **{name: value for name, value in values.items() if name in EXPORTED_PROPERTIES},
            **{f"channel_{name}": path for name, path in values["channel_input_dirs"].items()},
            **{f"hp_{name}": value for name, value in user.items()},
        }
        exported = {f"SM_{name.upper()}": _variable(value) for name, value in named.items()}
        return {
            **exported,
            "CURRENT_HOST": HOST,
            "SAGEMAKER_JOB_NAME": str(self.decoded().get("sagemaker_job_name", "")),
            "SAGEMAKER_REGION": str(
                self.decoded().get("sagemaker_region") or self.sent_environment.get("AWS_REGION", "")
            ),
            "PYTHONPATH": str(self.base / "code"),
        }

    def _properties(self) -> dict[str, Any]:
        """Return what the toolkit calls the training environment (SM_TRAINING_ENV)."""
        base, decoded = self.base, self.decoded()
        group = {"instance_group_name": GROUP, "hosts": [HOST]}
        group["instance_type"] = self.resource_config["current_instance_type"]
        distributed = _asks_for_distribution(self.framework_parameters())
        return {
            "additional_framework_parameters": self.framework_parameters(),
            "channel_input_dirs": {name: str(base / "input/data" / name) for name in self.input_data_config},
            "current_host": HOST,
            "current_instance_group": GROUP,
            "current_instance_group_hosts": [HOST],
            "current_instance_type": self.resource_config["current_instance_type"],
            "distribution_hosts": [HOST] if distributed else [],
            "distribution_instance_groups": [GROUP] if distributed else [],
            "framework_module": self.sent_environment.get("SAGEMAKER_TRAINING_MODULE"),
            "hosts": [HOST],
            "hyperparameters": self.user_hyperparameters(),
            "input_config_dir": str(base / "input/config"),
            "input_data_config": self.input_data_config,
            "input_dir": str(base / "input"),
            "instance_groups": [GROUP],
            "instance_groups_dict": {GROUP: group},
            "is_hetero": False,
            "is_master": True,
            "is_modelparallel_enabled": None,
            "is_smddpmprun_installed": False,
            "is_smddprun_installed": False,
            "job_name": self.job_name,
            "log_level": decoded.get("sagemaker_container_log_level", logging.INFO),
            "master_hostname": HOST,
            "model_dir": str(base / "model"),
            "module_dir": self.submit_directory,
            "module_name": _module_name(self.program),
            "network_interface_name": self.resource_config["network_interface_name"],
            "num_cpus": os.cpu_count(),
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": str(base / "output/data"),
            "output_dir": str(base / "output"),
            "output_intermediate_dir": str(base / "output/intermediate"),
            "resource_config": self.resource_config,
            "user_entry_point": self.program,
        }


EXPORTED_PROPERTIES = (
    "current_host",
    "current_instance_group",
    "current_instance_group_hosts",
    "current_instance_type",
    "distribution_instance_groups",
    "framework_module",
    "hosts",
    "input_config_dir",
    "input_data_config",
    "input_dir",
    "instance_groups",
    "instance_groups_dict",
    "is_hetero",
    "log_level",
    "model_dir",
    "module_dir",
    "module_name",
    "network_interface_name",
    "num_cpus",
    "num_gpus",
    "num_neurons",
    "output_data_dir",
    "output_dir",
    "output_intermediate_dir",
    "resource_config",
    "user_entry_point",
)


def failure_text(exit_status: int, command: list[str]) -> str:
    """Return what the toolkit writes to /opt/ml/output/failure when the script left nothing there."""
    return f'ExecuteUserScriptError:\nExitCode {exit_status}\nErrorMessage ""\nCommand "{" ".join(command)}"'


def _is_toolkit_name(name: str) -> bool:
    return name in TOOLKIT_HYPERPARAMETERS or name.startswith(TOOLKIT_PREFIX)


def _asks_for_distribution(parameters: dict[str, Any]) -> bool:
    names = (
        "sagemaker_mpi_enabled",
        "sagemaker_parameter_server_enabled",
        "sagemaker_distributed_dataparallel_enabled",
        "sagemaker_pytorch_ddp_enabled",
        "sagemaker_pytorch_xla_multi_worker_enabled",
        "sagemaker_multi_worker_mirrored_strategy_enabled",
        "sagemaker_torch_distributed_enabled",
    )
    return any(parameters.get(name) for name in names)


def _decode(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _option(name: str) -> str:
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _module_name(program: str | None) -> str | None:
    return program.removesuffix(".py") if program else program
