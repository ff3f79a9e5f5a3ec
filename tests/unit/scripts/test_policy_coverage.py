"""The judge of permissions: its reading of policies, of requests, and what it tells."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from scripts.policy_coverage.__main__ import RECORDING, main, problems_of
from scripts.policy_coverage.coverage import (
    RoleCall,
    calls_of,
    general_resource,
    permitted_forbidden,
    read_recording,
)
from scripts.policy_coverage.iam_policies import Call, PolicyError, decide
from scripts.policy_coverage.job_permissions import job_permissions
from scripts.policy_coverage.listed_calls import FORBIDDEN, LAPTOP_VALUES
from scripts.policy_coverage.needed_permissions import UnknownRequestError, needed_permissions
from scripts.policy_coverage.policy_templates import MODULES, TemplateError, render, role_statements
from scripts.policy_coverage.recorded_requests import RecordedRequest, RecordingError, read_requests

MODEL = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/telecom-churn/3"
OBJECT = "arn:aws:s3:::bucket/folder/file"


def statement(effect="Allow", action="s3:GetObject", resource="arn:aws:s3:::bucket/*", **more):
    return {"Sid": f"{effect}It", "Effect": effect, "Action": action, "Resource": resource, **more}


def request(service="s3", **changes):
    values = {
        "caller": "airflow", "service": service, "region": "eu-west-1", "action": "", "method": "GET",
        "path": "/", "query": {}, "copy_source": None, "parameters": {},
    }  # fmt: skip
    return RecordedRequest(**{**values, **changes})


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        ([statement()], True),
        ([statement(action="s3:getobject")], True),
        ([statement(action="s3:Get*")], True),
        ([statement(action=["s3:PutObject", "s3:*"])], True),
        ([statement(action="s3:GetObjec")], False),
        ([statement(resource="arn:aws:s3:::bucket")], False),
        ([statement(resource="arn:aws:s3:::bucket/FOLDER/*")], False),
        ([statement(resource="arn:aws:s3:::bucket/folder/fil?")], True),
        ([statement(resource="arn:aws:s3:::bucket/[f]older/file")], False),
        ([statement(), statement("Deny")], False),
        ([statement("Deny"), statement()], False),
        ([], False),
    ],
)
def test_decide_when_statements_meet_a_call_then_deny_wins_and_silence_denies(statements, is_allowed):
    assert decide(statements, Call("s3:GetObject", OBJECT)).is_allowed is is_allowed


@pytest.mark.parametrize(
    ("condition", "context", "is_allowed"),
    [
        ({"StringEquals": {"a:b": "x"}}, {"a:b": "x"}, True),
        ({"StringEquals": {"A:B": "x"}}, {"a:b": "x"}, True),
        ({"StringEquals": {"a:b": ["y", "x"]}}, {"a:b": "x"}, True),
        ({"StringEquals": {"a:b": "x*"}}, {"a:b": "xy"}, False),
        ({"StringLike": {"a:b": "x*"}}, {"a:b": "xy"}, True),
        ({"StringEquals": {"a:b": "x"}}, {}, False),
        ({"StringEqualsIfExists": {"a:b": "x"}}, {}, True),
        ({"StringNotEquals": {"a:b": "x"}}, {"a:b": "x"}, False),
        ({"StringNotEquals": {"a:b": "x"}}, {}, True),
        ({"Bool": {"a:b": "true"}}, {"a:b": "True"}, True),
        ({"Bool": {"a:b": "true"}}, {}, False),
        ({"StringEquals": {"a:b": "x", "c:d": "y"}}, {"a:b": "x"}, False),
    ],
)
def test_decide_when_there_is_a_condition_then_it_must_hold(condition, context, is_allowed):
    call = Call("s3:GetObject", OBJECT, context)
    assert decide([statement(Condition=condition)], call).is_allowed is is_allowed


@pytest.mark.parametrize(
    "unknown",
    [{"Condition": {"DateLessThan": {"aws:CurrentTime": "x"}}}, {"NotResource": "*"}, {"NotAction": "s3:*"}],
    ids=str,
)
def test_decide_when_a_statement_is_not_understood_then_refuses_to_judge(unknown):
    with pytest.raises(PolicyError, match="AllowIt"):
        decide([statement(**unknown)], Call("s3:GetObject", OBJECT))


@pytest.mark.parametrize(
    ("method", "path", "query", "actions"),
    [
        ("GET", "/bucket/key", {}, ["s3:GetObject", "kms:Decrypt"]),
        ("HEAD", "/bucket/key", {}, ["s3:GetObject", "kms:Decrypt"]),
        ("GET", "/bucket/key", {"versionId": "1"}, ["s3:GetObjectVersion", "kms:Decrypt"]),
        ("PUT", "/bucket/key", {}, ["s3:PutObject", "kms:GenerateDataKey"]),
        ("POST", "/bucket/key", {"uploads": ""}, ["s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"]),
        ("DELETE", "/bucket/key", {}, ["s3:DeleteObject"]),
        ("DELETE", "/bucket/key", {"uploadId": "1"}, ["s3:AbortMultipartUpload", "kms:Decrypt"]),
        ("GET", "/bucket", {"list-type": "2", "prefix": "a/"}, ["s3:ListBucket"]),
        ("POST", "/bucket", {"delete": ""}, ["s3:DeleteObject"]),
        ("GET", "/", {}, ["s3:ListAllMyBuckets"]),
    ],
)
def test_needed_permissions_when_s3_is_asked_then_names_them(method, path, query, actions):
    needed = needed_permissions(request(method=method, path=path, query=query), LAPTOP_VALUES)
    assert [call.action for call in needed] == actions


def test_needed_permissions_when_an_object_is_copied_then_its_source_is_read():
    copied = request(method="PUT", path="/bucket/key", copy_source="/other/key?versionId=1")
    assert Call("s3:GetObject", "arn:aws:s3:::other/key", reason="source of a copy") in needed_permissions(
        copied, LAPTOP_VALUES
    )


def test_needed_permissions_when_a_tagged_job_is_created_then_tags_and_role_count_too():
    job = {"ProcessingJobName": "churn-x", "RoleArn": LAPTOP_VALUES["job_role_arn"], "Tags": [{"Key": "a"}]}
    needed = needed_permissions(
        request("sagemaker", action="CreateProcessingJob", parameters=job), LAPTOP_VALUES
    )
    assert {"sagemaker:CreateProcessingJob", "sagemaker:AddTags", "iam:PassRole", "kms:CreateGrant"} <= {
        call.action for call in needed
    }


def test_needed_permissions_when_a_resource_is_tagged_then_that_one():
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/churn-synthetic"
    asked = request("sagemaker", action="AddTags", parameters={"ResourceArn": arn, "Tags": []})
    (call,) = needed_permissions(asked, LAPTOP_VALUES)
    assert (call.action, call.resource) == ("sagemaker:AddTags", arn)


def test_needed_permissions_when_a_request_is_unknown_then_says_so():
    with pytest.raises(UnknownRequestError, match="CreateEndpoint"):
        needed_permissions(request("sagemaker", action="CreateEndpoint"), LAPTOP_VALUES)


def test_job_permissions_when_the_request_starts_no_job_then_there_are_none():
    assert job_permissions(request("sagemaker", action="ListModelPackages"), LAPTOP_VALUES) == []


def test_calls_of_when_the_laptops_own_tools_call_then_leaves_them_out():
    mine = request(method="PUT", path="/bucket", caller="laptop")
    assert calls_of([mine]) == []


def test_calls_of_when_a_person_approves_then_the_call_is_the_approvers():
    approval = request(
        "sagemaker", action="UpdateModelPackage", caller="approver",
        parameters={"ModelPackageArn": MODEL, "ModelApprovalStatus": "Approved"},
    )  # fmt: skip
    (call,) = calls_of([approval])
    assert (call.role, call.call.action, call.call.resource) == (
        "approver",
        "sagemaker:UpdateModelPackage",
        MODEL,
    )
    assert problems_of([call], is_complete=False) == []


def test_calls_of_when_nobody_knows_the_caller_then_refuses():
    with pytest.raises(RecordingError, match="unknown caller 'stranger'"):
        calls_of([request(path="/bucket/key", caller="stranger")])


def test_committed_recording_when_read_then_a_person_approved_in_it():
    made = {(one.role, one.call.action) for one in read_recording(RECORDING)}
    assert ("approver", "sagemaker:UpdateModelPackage") in made


def test_problems_when_one_action_of_a_used_statement_is_needless_then_names_it(tmp_path):
    modules = Path(shutil.copytree(MODULES, tmp_path / "modules"))
    policy = modules / "trigger/policies/function.json.tftpl"
    policy.write_text(
        policy.read_text().replace('"logs:PutLogEvents"]', '"logs:PutLogEvents", "logs:GetLogEvents"]')
    )
    (line,) = problems_of(read_recording(RECORDING), is_complete=True, modules=modules)
    assert "no call needs logs:GetLogEvents of statement WritesItsLog of role start_retraining" in line


def test_calls_of_when_runs_differ_then_one_kind_is_one_call():
    paths = [f"/churn-artifacts/retraining/run-{digit * 10}/schema.json" for digit in "ab"]
    calls = calls_of([request(path=path) for path in paths])
    assert sorted(one.call.action for one in calls) == ["kms:Decrypt", "s3:GetObject"]


@pytest.mark.parametrize(
    ("arn", "general"),
    [
        ("arn:aws:s3:::b/retraining/run-1/train/job/x.json", "arn:aws:s3:::b/retraining/…/x.json"),
        ("arn:aws:s3:::b/job-bundles/current.json", "arn:aws:s3:::b/job-bundles/current.json"),
        ("arn:aws:sagemaker:::training-job/churn-train-a", "arn:aws:sagemaker:::training-job/churn-train-…"),
        ("arn:aws:sagemaker:::model-package/churn/2", "arn:aws:sagemaker:::model-package/churn/…"),
    ],
)  # fmt: skip
def test_general_resource_when_a_run_is_in_it_then_leaves_it_out(arn, general):
    assert general_resource(arn) == general


def test_problems_when_a_call_is_not_covered_then_names_role_action_and_resource():
    call = RoleCall("airflow", Call("s3:DeleteObject", "arn:aws:s3:::churn-data/raw/x.csv"))
    (line,) = problems_of([call], is_complete=False)
    assert "airflow" in line
    assert "s3:DeleteObject on arn:aws:s3:::churn-data/raw/x.csv" in line


def test_forbidden_calls_when_judged_then_none_is_allowed():
    assert permitted_forbidden() == []
    assert sum(len(calls) for calls in FORBIDDEN.values()) > 50


def test_committed_recording_when_judged_then_every_call_is_covered_and_every_statement_used(capsys):
    assert main(["judge"]) == 0, capsys.readouterr().out


def test_documented_table_when_compared_then_is_what_the_recording_says(capsys):
    assert main(["document", "--check"]) == 0, capsys.readouterr().out


def test_render_when_an_expression_is_unknown_then_is_refused(tmp_path):
    template = tmp_path / "policy.json.tftpl"
    template.write_text('{"Resource": "${upper(name)}"}')
    with pytest.raises(TemplateError, match=r"policy\.json\.tftpl"):
        render(template, {"name": "x"})


def test_render_when_a_value_is_missing_then_names_it(tmp_path):
    template = tmp_path / "policy.json.tftpl"
    template.write_text('{"Resource": "${name}"}')
    with pytest.raises(TemplateError, match="name"):
        render(template, {})


def test_role_statements_when_a_policy_is_no_json_then_names_file_and_line(tmp_path):
    folder = tmp_path / "roles/policies"
    folder.mkdir(parents=True)
    (folder / "job.json.tftpl").write_text('{"Statement": [}')
    with pytest.raises(TemplateError, match=r"job\.json\.tftpl, line 1"):
        role_statements("job", LAPTOP_VALUES, tmp_path)


def log_line(**changes):
    entry = {
        "caller": "airflow", "service": "sns", "region": "eu-west-1", "action": "Publish", "method": "POST",
        "path": "/", "query": "", "content_type": "application/x-www-form-urlencoded; charset=utf-8",
        "body": base64.b64encode(b"Action=Publish&TopicArn=arn%3Aaws%3Asns").decode(),
    }  # fmt: skip
    return json.dumps({**entry, **changes})


def test_read_requests_when_a_form_was_sent_then_decodes_it(tmp_path):
    log = tmp_path / "requests.jsonl"
    log.write_text(log_line() + "\n")
    (read,) = read_requests(log)
    assert read.parameters["TopicArn"] == "arn:aws:sns"


def test_read_requests_when_a_line_is_broken_then_names_it(tmp_path):
    log = tmp_path / "requests.jsonl"
    log.write_text(log_line() + "\n{\n")
    with pytest.raises(RecordingError, match="line 2"):
        list(read_requests(log))


def test_judge_when_the_log_shows_an_uncovered_call_then_fails_and_names_it(tmp_path, capsys):
    log = tmp_path / "requests.jsonl"
    log.write_text(log_line(body=base64.b64encode(b"Action=Publish&TopicArn=arn:aws:sns:x:y:other").decode()))
    assert main(["judge", str(log)]) == 1
    assert "sns:Publish on arn:aws:sns:x:y:other" in capsys.readouterr().out


def test_judge_when_the_recording_lacks_a_kind_of_call_then_fails_and_says_what_to_do(tmp_path, capsys):
    log = tmp_path / "requests.jsonl"
    new = "/churn-artifacts/monitoring/x/new_kind.json"
    log.write_text(log_line(service="s3", action="", method="GET", path=new, body=""))
    assert main(["judge", str(log)]) == 1
    printed = capsys.readouterr().out
    assert "not recorded: role airflow, s3:GetObject" in printed
    assert "python -m scripts.policy_coverage record" in printed


def test_judge_when_the_log_is_empty_then_fails(tmp_path):
    log = tmp_path / "requests.jsonl"
    log.write_text("")
    assert main(["judge", str(log)]) == 1
