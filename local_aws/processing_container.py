"""The container contract of SageMaker processing: inputs below /opt/ml/processing, outputs at the end."""

from typing import Any

from local_aws.container_layout import base_environment, read_message, with_python, write_json
from local_aws.job_container import JobContainer
from local_aws.job_data import JobDataError, download_prefix, upload_directory
from local_aws.job_process import Command

HOST = "algo-1"


class ProcessingContainer(JobContainer):
    """One processing job in its directory."""

    @property
    def _outputs(self) -> list[dict[str, Any]]:
        return (self._request.get("ProcessingOutputConfig") or {}).get("Outputs", [])

    def prepare(self) -> Command:
        """Download the inputs, lay out the directories and return the command."""
        self.directory.make()
        (self.directory.opt_ml / "output").mkdir()
        (self.directory.opt_ml / "processing").mkdir()
        self._write_configuration()
        for item in self._request.get("ProcessingInputs", []):
            source = item["S3Input"]
            download_prefix(self.store, source["S3Uri"], self.directory.local(source["LocalPath"]))
        for item in self._outputs:
            self.directory.local(item["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        application = self._request["AppSpecification"]
        arguments = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        rewritten = [self.directory.rewrite(argument) for argument in arguments]
        return Command(with_python(rewritten, self.environment), self.directory.home, self._environment())

    def _environment(self) -> dict[str, str]:
        sent = self._request.get("Environment", {})
        return {
            **base_environment(self.directory, self.environment, self.record["Region"], self.endpoint),
            # Not part of AWS's contract: tells a job where /opt/ml/output lies on this machine.
            "SM_OUTPUT_DIR": str(self.directory.opt_ml / "output"),
            "PROCESSING_JOB_ARN": self.record["Arn"],
            **{name: self.directory.rewrite(value) for name, value in sent.items()},
        }

    def _write_configuration(self) -> None:
        cluster = self._request["ProcessingResources"]["ClusterConfig"]
        configuration = self.directory.opt_ml / "config"
        write_json(
            configuration / "resourceconfig.json",
            {
                "current_host": HOST,
                "hosts": [HOST],
                "current_instance_type": cluster["InstanceType"],
                "current_group_name": "homogeneousCluster",
                "instance_groups": [
                    {
                        "instance_group_name": "homogeneousCluster",
                        "instance_type": cluster["InstanceType"],
                        "hosts": [HOST],
                    }
                ],
            },
        )
        described = {key: value for key, value in self._request.items() if key != "Tags"}
        write_json(
            configuration / "processingjobconfig.json", {"ProcessingJobArn": self.record["Arn"], **described}
        )

    def save_checkpoints(self) -> None:
        """Processing jobs have no checkpoints."""

    def collect(self, *, succeeded: bool) -> dict[str, Any]:
        """Upload the outputs of a job that succeeded and return the facts for its record."""
        try:
            message = read_message(self.directory.opt_ml / "output" / "message")
        except UnicodeDecodeError as error:
            raise JobDataError("ClientError: /opt/ml/output/message is not UTF-8 text") from error
        if succeeded:
            for item in self._outputs:
                target = item["S3Output"]
                upload_directory(self.store, self.directory.local(target["LocalPath"]), target["S3Uri"])
        return {"ExitMessage": message}

    def failure_reason(self, _exit_status: int) -> str:
        """Return what a non-zero exit status is called."""
        return "AlgorithmError: See job logs for more information"
