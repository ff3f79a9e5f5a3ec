"""`make deploy` as a process of its own, over HTTP: killed in the middle, run again, told off, taken back."""

import signal

from tests.packaging.deployment_command import prove


def test_command_when_killed_during_the_update_then_the_next_one_finishes(commanded_account):
    stand_in, command, bundle = commanded_account
    prove(bundle)
    with command.start() as process:
        stand_in.on_update = lambda: process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    code, shown, told = command.run()
    assert (code, told) == (0, "")
    assert "telecom-churn-development: UPDATING" in shown
    assert "recorded as deployment 1" in shown
    assert "verified: Airflow 3.3.1 is healthy" in shown
    assert stand_in.calls.count("UpdateEnvironment") == 1


def test_command_when_the_bundle_is_not_proven_then_exits_with_2_in_one_line(commanded_account):
    _, command, _ = commanded_account
    code, _, told = command.run("--dry-run")
    assert code == 2
    assert told.startswith("error: bundle ")
    assert told.endswith("run make preflight\n")
    assert told.count("\n") == 1


def test_command_when_the_update_fails_then_exits_with_1_in_one_line(commanded_account):
    stand_in, command, bundle = commanded_account
    prove(bundle)
    stand_in.fail_next_update = True
    code, _, told = command.run()
    assert code == 1
    assert told.startswith("error: MWAA could not update telecom-churn-development")
    assert told.count("\n") == 1


def test_command_when_aws_refuses_then_exits_with_1_in_one_line(commanded_account):
    stand_in, command, bundle = commanded_account
    prove(bundle)
    stand_in.environment["Name"] = "renamed"
    code, _, told = command.run()
    assert code == 1
    assert "ResourceNotFoundException" in told
    assert told.count("\n") == 1
