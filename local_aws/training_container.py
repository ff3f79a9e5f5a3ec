"""The container contract of SageMaker training in script mode: channels in, model and output archives out."""

from pathlib import Path
from typing import Any

from local_aws.container_layout import MESSAGE_BYTES, base_environment, write_json
from local_aws.job_container import JobContainer
from local_aws.job_data import (
    JobDataError,
    download_prefix,
    pack_directory,
    split_s3_uri,
    unpack_archive,
    upload_directory,
    upload_file,
)
from local_aws.job_process import Command
from local_aws.script_mode import GROUP, HOST, ScriptMode, failure_text

TOOLKIT_EXIT_STATUS = 1  # whatever the script's own was


class TrainingContainer(JobContainer):
    """One training job in its directory."""

    def prepare(self) -> Command:
        """Download channels and code, write the configuration and return the command."""
        base = self.directory.opt_ml
        self.directory.make()
        for name in ("model", "output/data", "code", "checkpoints", "input/data"):
            (base / name).mkdir(parents=True)
        self._restore_checkpoints()
        for channel in self._request.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            download_prefix(self.store, uri, base / "input/data" / channel["ChannelName"])
        script = self._script_mode()
        configuration = base / "input/config"
        write_json(configuration / "hyperparameters.json", script.hyperparameters)
        write_json(configuration / "inputdataconfig.json", script.input_data_config)
        write_json(configuration / "resourceconfig.json", script.resource_config)
        self._unpack_code(script.submit_directory)
        environment = {**script.sent_environment, **script.environment()}
        return Command(self._command(script), base / "code", environment)

    def _script_mode(self) -> ScriptMode:
        instance_type = self._request["ResourceConfig"].get("InstanceType", "local")
        sent = {**self._base_environment(), **self._sent_environment()}
        return ScriptMode(
            base=self.directory.opt_ml,
            hyperparameters={
                name: self.directory.rewrite(value)
                for name, value in self._request.get("HyperParameters", {}).items()
            },
            input_data_config={
                channel["ChannelName"]: _channel_configuration(channel)
                for channel in self._request.get("InputDataConfig", [])
            },
            resource_config={
                "current_host": HOST,
                "current_instance_type": instance_type,
                "current_group_name": GROUP,
                "hosts": [HOST],
                "instance_groups": [
                    {"instance_group_name": GROUP, "instance_type": instance_type, "hosts": [HOST]}
                ],
                "network_interface_name": "eth0",
            },
            job_name=self.record["Name"],
            sent_environment=sent,
        )

    def _base_environment(self) -> dict[str, str]:
        return {
            **base_environment(self.directory, self.environment, self.record["Region"], self.endpoint),
            "TRAINING_JOB_NAME": self.record["Name"],
            "TRAINING_JOB_ARN": self.record["Arn"],
            # The toolkit's own way to say where /opt/ml lies.
            "SAGEMAKER_BASE_DIR": str(self.directory.opt_ml),
        }

    def _sent_environment(self) -> dict[str, str]:
        sent = self._request.get("Environment", {})
        return {name: self.directory.rewrite(value) for name, value in sent.items()}

    def _unpack_code(self, submit_directory: str) -> None:
        code = self.directory.opt_ml / "code"
        if submit_directory.startswith("s3://"):
            bucket, key = split_s3_uri(submit_directory)
            stored = self.store.find(bucket, key)
            if stored is None:
                raise JobDataError(
                    f"ClientError: sagemaker_submit_directory {submit_directory} does not exist"
                )
            archive = self.directory.home / "tmp" / "sourcedir.tar.gz"
            self.store.copy_to_file(stored, archive)
            unpack_archive(archive, code)
            archive.unlink()
        elif Path(submit_directory).is_file():
            unpack_archive(Path(submit_directory), code)
        elif Path(submit_directory) != code:
            raise JobDataError(f"ClientError: sagemaker_submit_directory {submit_directory} is no archive")

    def _command(self, script: ScriptMode) -> list[str]:
        code, program = self.directory.opt_ml / "code", script.program
        if program is None:
            raise JobDataError("ClientError: the hyperparameter sagemaker_program names no script to run")
        if not (code / program).is_file():
            raise JobDataError(
                f"ClientError: the source archive holds no {program} (hyperparameter sagemaker_program)"
            )
        for installed in ("setup.py", "requirements.txt"):
            if (code / installed).exists():
                raise JobDataError(
                    f"ClientError: the source archive holds a {installed}; the local stand-in installs "
                    "nothing into a job environment: take it out, or add its packages to the environment's "
                    "lock file"
                )
        if program.endswith(".py"):
            return [str(self.environment.python), program, *script.arguments()]
        (code / program).chmod(0o777)  # as the toolkit does
        return ["/bin/sh", "-c", 'exec "$0" "$@"', f"./{program}", *script.arguments()]

    def _restore_checkpoints(self) -> None:
        """A job that is run again finds the checkpoints it had written, as after a spot interruption."""
        configuration = self._request.get("CheckpointConfig")
        if not configuration:
            return
        local = configuration.get("LocalPath", "/opt/ml/checkpoints")
        bucket, prefix = split_s3_uri(configuration["S3Uri"])
        if next(self.store.keys_from(bucket, prefix, ""), None) is not None:
            download_prefix(self.store, configuration["S3Uri"], self.directory.local(local))

    def save_checkpoints(self) -> None:
        """Copy the checkpoints to S3; here when the job ends or is run again, on AWS all the time."""
        configuration = self._request.get("CheckpointConfig")
        if configuration:
            local = self.directory.local(configuration.get("LocalPath", "/opt/ml/checkpoints"))
            if local.is_dir():
                upload_directory(self.store, local, configuration["S3Uri"])

    def collect(self, *, succeeded: bool) -> dict[str, Any]:
        """Archive and upload model and output; of a job that did not succeed only what it left."""
        target = (
            self._request["OutputDataConfig"]["S3OutputPath"].rstrip("/") + f"/{self.record['Name']}/output"
        )
        base = self.directory.opt_ml
        facts: dict[str, Any] = {}
        self.save_checkpoints()
        if succeeded or any((base / "model").iterdir()):
            self._upload_archive(base / "model", f"{target}/model.tar.gz")
            facts["ModelArtifacts"] = {"S3ModelArtifacts": f"{target}/model.tar.gz"}
        if any((base / "output" / "data").iterdir()):
            self._upload_archive(base / "output" / "data", f"{target}/output.tar.gz")
        return facts

    def _upload_archive(self, content: Path, uri: str) -> None:
        archive = self.directory.path / uri.rpartition("/")[2]
        pack_directory(content, archive)
        upload_file(self.store, archive, uri)
        archive.unlink()

    def failure_reason(self, exit_status: int) -> str:
        """Return the text the script (or in its place the toolkit) left, and the toolkit's exit status."""
        path = self.directory.opt_ml / "output" / "failure"
        if path.is_file():
            text = path.read_bytes()[: 4 * MESSAGE_BYTES].decode("utf-8", "replace")
        else:
            script = self._script_mode()
            text = failure_text(
                exit_status, [str(self.environment.python), script.program or "", *script.arguments()]
            )
        ending = f", exit code: {TOOLKIT_EXIT_STATUS}"
        return f"AlgorithmError: {text[: MESSAGE_BYTES - len(ending) - 16]}{ending}"


def _channel_configuration(channel: dict[str, Any]) -> dict[str, str]:
    source = channel["DataSource"]["S3DataSource"]
    described = {
        "TrainingInputMode": "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        described["ContentType"] = channel["ContentType"]
    return described
