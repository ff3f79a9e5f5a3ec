"""Rules for job requests that the service model cannot express: refused by AWS, or impossible here.

Every refusal that is the stand-in's own (AWS would accept the request) says so in its message.
"""

from typing import Any

from local_aws.api_error import validation_error

Request = dict[str, Any]


def check_training_request(request: Request) -> None:
    """Raise ValidationException when the request cannot be run."""
    algorithm = request.get("AlgorithmSpecification") or {}
    for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if name not in request:
            raise validation_error(f"{name} is required for a training job that runs a training image")
    if not algorithm.get("TrainingImage"):
        raise _own_limit("AlgorithmSpecification needs a TrainingImage; AlgorithmName is not available")
    resources = request["ResourceConfig"]
    _one_instance(resources.get("InstanceCount", 1))
    if "InstanceGroups" in resources:
        raise _own_limit("ResourceConfig.InstanceGroups is not available")
    if algorithm.get("TrainingInputMode") == "Pipe":
        raise _own_limit("TrainingInputMode Pipe is not available; use File or FastFile")
    channels = request.get("InputDataConfig", [])
    _unique([channel["ChannelName"] for channel in channels], "ChannelName")
    for channel in channels:
        _check_channel(channel)
    _check_spot(request)
    _check_tags(request)


def _check_channel(channel: Request) -> None:
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise _own_limit(f"channel {name} has no S3DataSource; other data sources are not available")
    _check_s3_source(f"channel {name}", source)
    if channel.get("CompressionType", "None") != "None":
        raise _own_limit(f"channel {name} asks for CompressionType {channel['CompressionType']}; use None")
    if channel.get("InputMode") == "Pipe":
        raise _own_limit(f"channel {name} asks for InputMode Pipe; use File or FastFile")


def _check_s3_source(where: str, source: Request) -> None:
    kind = source.get("S3DataType", "S3Prefix")
    if kind != "S3Prefix":
        raise _own_limit(f"{where} asks for S3DataType {kind}; only S3Prefix is available")


def _check_spot(request: Request) -> None:
    stopping = request["StoppingCondition"]
    longest_wait = stopping.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if longest_wait is None:
            raise validation_error("MaxWaitTimeInSeconds is required when EnableManagedSpotTraining is true")
        if longest_wait < stopping.get("MaxRuntimeInSeconds", 86400):
            raise validation_error(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif longest_wait is not None:
        raise validation_error(
            "MaxWaitTimeInSeconds above 0 is not supported when EnableManagedSpotTraining is false"
        )


def check_processing_request(request: Request) -> None:
    """Raise ValidationException when the request cannot be run."""
    _one_instance(request["ProcessingResources"]["ClusterConfig"]["InstanceCount"])
    inputs = request.get("ProcessingInputs", [])
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs", [])
    _unique([item["InputName"] for item in inputs], "InputName")
    _unique([item["OutputName"] for item in outputs], "OutputName")
    for item in inputs:
        _check_processing_input(item)
    for item in outputs:
        if "S3Output" not in item:
            raise _own_limit(f"output {item['OutputName']} has no S3Output")
        _check_local_path(f"output {item['OutputName']}", item["S3Output"].get("LocalPath", ""))
    local_paths = [item["S3Input"]["LocalPath"] for item in inputs]
    local_paths += [item["S3Output"]["LocalPath"] for item in outputs]
    _unique([path.rstrip("/") for path in local_paths], "LocalPath")
    if not request["AppSpecification"].get("ContainerEntrypoint"):
        raise _own_limit("AppSpecification.ContainerEntrypoint is needed: there is no image to take one from")
    _check_tags(request)


def _check_processing_input(item: Request) -> None:
    where = f"input {item['InputName']}"
    source = item.get("S3Input")
    if source is None:
        raise _own_limit(f"{where} has no S3Input; dataset definitions are not available")
    _check_s3_source(where, source)
    if source.get("S3InputMode", "File") != "File":
        raise _own_limit(f"{where} asks for S3InputMode {source['S3InputMode']}; only File is available")
    if source.get("S3CompressionType", "None") != "None":
        raise _own_limit(f"{where} asks for S3CompressionType {source['S3CompressionType']}; use None")
    _check_local_path(where, source.get("LocalPath", ""))


def _check_local_path(where: str, path: str) -> None:
    if not path.startswith("/opt/ml/processing/") or ".." in path.split("/"):
        raise validation_error(f"LocalPath of {where} must begin with /opt/ml/processing/, got '{path}'")


def _check_tags(request: Request) -> None:
    _unique([tag["Key"] for tag in request.get("Tags", [])], "tag key")


def _unique(names: list[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise validation_error(f"Duplicate {what} in the request: {', '.join(repeated)}")


def _one_instance(count: int) -> None:
    if count != 1:
        raise _own_limit(f"InstanceCount is {count}; jobs run on this one machine, use 1")


def _own_limit(message: str) -> Exception:
    return validation_error(f"Not possible on the local stand-in (AWS may accept it): {message}")
