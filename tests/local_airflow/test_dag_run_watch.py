from local_airflow.dag_run_watch import describe_failure, watch_run
from local_airflow.stack_settings import StackError


def task(name, state, **facts):
    return {"task_id": name, "state": state, "try_number": 1, "start_date": None, "duration": 1.0, **facts}


class ToldApi:
    """An Airflow whose run goes through the given states, one per look; its logs cannot be read."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def get_run(self, dag_id, run_id):
        return {"dag_id": dag_id, "dag_run_id": run_id, "state": self.looks[0][0]}

    def get_task_instances(self, *_place):
        return self.looks.pop(0)[1]

    def get_log_lines(self, *_place):
        raise StackError("Airflow does not answer")


def test_watch_when_a_task_fails_then_what_could_not_run_is_one_line(monkeypatch):
    monkeypatch.setattr("local_airflow.dag_run_watch.time.sleep", lambda _: None)
    api = ToldApi(
        ("running", [task("prepare", "running"), task("train", None), task("evaluate", None)]),
        (
            "failed",
            [
                task("prepare", "failed"),
                task("train", "upstream_failed"),
                task("evaluate", "upstream_failed"),
            ],
        ),
    )
    told = []
    watch_run(api, "dag", "run", told.append)
    assert told == ["  > prepare started", "  - prepare failed", "  - not run: train, evaluate"]


def test_describe_failure_when_the_error_begins_with_the_task_then_names_it_once(monkeypatch):
    log = [{"level": "error", "event": "e", "error_detail": [{"exc_value": "train: out of\nmemory"}]}]
    monkeypatch.setattr(ToldApi, "get_log_lines", lambda *_place: log)
    run = {"dag_id": "dag", "dag_run_id": "run", "state": "failed"}
    lines = describe_failure(ToldApi(), run, [task("train", "failed"), task("evaluate", "upstream_failed")])
    assert lines == ["error     train: out of memory"]


def test_describe_failure_when_the_log_cannot_be_read_then_says_so_and_does_not_fail_itself():
    run = {"dag_id": "dag", "dag_run_id": "run", "state": "failed"}
    lines = describe_failure(ToldApi(), run, [task("train", "failed")])
    assert lines == ["error     train: its log cannot be read: Airflow does not answer"]
