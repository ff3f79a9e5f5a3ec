"""What people have been told about a model package group: one numbered message after the other, in S3.

A message is kept before SNS is asked, under the next free number of its day (`If-None-Match: *`: of two
writers one wins, and the other decides again). Whatever has no proof of sending beside it is still to be
sent, by this run or by any later one. Before it asks SNS a run puts its name on the message under a condition
on its ETag, so that two runs at once do not both send it; a name that a dead worker left stops counting after
a while.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException

from include.airflow_tasks.published_documents import create_json, read_contract, read_marker
from include.airflow_tasks.s3_documents import list_objects, read_json_version, write_json_version
from include.airflow_tasks.task_settings import SMALL_TASK_LIMIT
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.told_alert import SentAlert, ToldAlert
from include.drift_alerts.sns_message import AlertMessage
from include.settings.s3_layout import SENT_ENDING, message_uri, messages_prefix, sent_uri

# A try of the publishing task lives no longer than its limit; the rest is for clocks that differ.
CLAIM_LASTS = SMALL_TASK_LIMIT + timedelta(minutes=5)
_WHAT, _WHAT_SENT = "the message", "the proof that a message was sent"
_REMEDY = "restore its last version"


class AlertLedger:
    """The messages of one group, as listed when the ledger was opened; contents are read on demand."""

    def __init__(self, plan: MonitoringPlan, *, s3: S3Hook, now: datetime) -> None:
        """List the messages; raises as `explain` when S3 does not say."""
        bucket = plan.environment.artifact_bucket
        self._plan, self._s3, self._now = plan, s3, now
        self._folder = messages_prefix(bucket, plan.model.group)
        names = [
            f"s3://{bucket}/{entry['Key']}".removeprefix(self._folder)
            for entry in list_objects(s3, self._folder, what="the messages of the group")
        ]
        sent = {name for name in names if name.endswith(SENT_ENDING)}
        # date/number: the order of names is the order of telling.
        self._names = [name for name in names if name not in sent]
        self._unsent = [name for name in self._names if sent_uri(name) not in sent]
        self._read: dict[str, ToldAlert] = {}

    def newest_first(self) -> Iterator[ToldAlert]:
        """Yield the messages, those of the latest date first."""
        for name in reversed(self._names):
            yield self._alert(name)

    def around(self, about: str, date: str) -> tuple[ToldAlert | None, ToldAlert | None]:
        """Return the last message about one thing up to a date, and the first one after it."""
        following = None
        for alert in self.newest_first():
            if alert.about == about and alert.date > date:
                following = alert
            elif alert.about == about:
                return alert, following
        return None, following

    def of_day(self, date: str) -> list[ToldAlert]:
        """Return the messages of one date, in order."""
        return [self._alert(name) for name in self._names if name.startswith(f"{date}/")]

    def add(self, message: AlertMessage, *, is_trial: bool) -> bool:
        """Keep a message as its day's next, claimed by this run; False when somebody else was first."""
        number = 1 + sum(name.startswith(f"{message.date}/") for name in self._names)
        uri = message_uri(self._folder, message.date, number)
        moment = self._now.isoformat(timespec="seconds")
        run_id = self._plan.run_id
        alert = ToldAlert(
            **{**asdict(message), "columns": message.columns},
            is_trial=is_trial,
            run_id=run_id,
            written_at=moment,
            claimed_by=run_id,
            claimed_at=moment,
        )
        if not create_json(self._s3, uri, alert.to_mapping(), what=_WHAT):
            return False
        name = uri.removeprefix(self._folder)
        self._names = sorted([*self._names, name])
        self._unsent = sorted([*self._unsent, name])
        self._read[name] = alert
        return True

    def claim_unsent(self) -> Iterator[tuple[str, ToldAlert]]:
        """Yield name and content of every unsent message in order, each claimed by this run.

        Raises AirflowException while another run is at work on one: a retry finds it sent, or free.
        """
        for name in list(self._unsent):
            uri = f"{self._folder}{name}"
            document, etag = read_json_version(self._s3, uri, what=_WHAT, remedy=_REMEDY)
            alert = read_contract(ToldAlert.from_mapping, document, uri)
            if self._proof(name) is not None:  # since the ledger was opened
                continue
            is_ours = alert.claimed_by == self._plan.run_id
            is_held = alert.claimed_by is not None and self._age(alert) < CLAIM_LASTS
            if is_held and not is_ours:
                raise AirflowException(
                    f"run {alert.claimed_by} is sending {alert.alert_id}; this run goes on when that is done"
                )
            mine = replace(alert, claimed_by=self._plan.run_id, claimed_at=self._moment())
            if not write_json_version(self._s3, uri, mine.to_mapping(), etag, what=_WHAT):
                raise AirflowException(f"another run is sending {alert.alert_id}; this run goes on after it")
            yield name, mine

    def release(self, name: str, alert: ToldAlert) -> None:
        """Leave a message that SNS has not taken to whichever run tries next."""
        uri = f"{self._folder}{name}"
        _, etag = read_json_version(self._s3, uri, what=_WHAT, remedy=_REMEDY)
        free = replace(alert, claimed_by=None)
        write_json_version(self._s3, uri, free.to_mapping(), etag, what=_WHAT)

    def mark_sent(self, name: str, alert: ToldAlert, message_id: str) -> None:
        """Keep the proof that SNS has taken a message."""
        sent = SentAlert(alert.alert_id, message_id, self._plan.run_id, self._moment())
        create_json(self._s3, sent_uri(f"{self._folder}{name}"), sent.to_mapping(), what=_WHAT_SENT)
        self._unsent.remove(name)

    def proofs_of_day(self, date: str) -> list[tuple[ToldAlert, SentAlert]]:
        """Return the messages of one date that SNS has taken, in order, each with its proof."""
        names = [name for name in self._names if name.startswith(f"{date}/")]
        return [(self._alert(name), proof) for name in names if (proof := self._proof(name)) is not None]

    def _proof(self, name: str) -> SentAlert | None:
        uri = sent_uri(f"{self._folder}{name}")
        return read_marker(self._s3, uri, SentAlert.from_mapping, what=_WHAT_SENT)

    def _alert(self, name: str) -> ToldAlert:
        if name not in self._read:
            uri = f"{self._folder}{name}"
            document, _ = read_json_version(self._s3, uri, what=_WHAT, remedy=_REMEDY)
            self._read[name] = read_contract(ToldAlert.from_mapping, document, uri)
        return self._read[name]

    def _age(self, alert: ToldAlert) -> timedelta:
        return self._now - datetime.fromisoformat(alert.claimed_at)

    def _moment(self) -> str:
        return self._now.isoformat(timespec="seconds")
