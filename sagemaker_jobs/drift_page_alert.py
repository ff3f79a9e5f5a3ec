"""The alert over the days: where it stands after this batch, and the changes it rests on."""

from html import escape

from sagemaker_jobs.drift_findings import Part
from sagemaker_jobs.drift_page_history import day_strip
from sagemaker_jobs.drift_page_words import day_words
from sagemaker_jobs.page_text import counted, figure, listed, plain, probability, share, shown

MOST_CHANGES = 8
_STATUS = {"quiet": "No alert is open", "drift": "An alert is open", "data_break": "The data are broken"}
_TRANSITIONS = {
    "none": "no message is due",
    "new": "new today: a message is due",
    "worse": "worse today: a message is due",
    "cleared": "cleared today: a message is due",
}
_OF_THE_MODEL = {"model score": "the model's scores", "model performance": "the model's performance"}
# statistic of the rule over days → what a person calls it, and how its size reads
_STATISTICS = {
    "location": ("values moved", "{} sd"),
    "spread": ("spread changed", "{}"),
    "correlation": ("correlation changed", "{}"),
    "roc_auc": ("AUC fell", "{}"),
}
_SHARES = {
    "groups": "rows that moved",
    "narrow groups": "rows that moved to neighbouring values",
    "one value": "rows at one value or in a narrow range",
    "lower tail": "low extremes",
    "upper tail": "high extremes",
    "unseen": "unseen values",
    "missing": "missing values",
    "accuracy": "accuracy fell",
    "calibration_gap": "gap between scores and outcomes",
}


def alert_section(report: Part) -> str:
    """Return status, transition, sentence and changes of the alert, with the days so far as a strip."""
    alert, budget = report["alert"], report["rule"].get("yearly_false_alerts")
    status = alert["status"]
    since = f" since {day_words(alert['since'])}" if status != "quiet" and alert["since"] else ""
    tone = {"quiet": "no_drift"}.get(status, status)
    head = (
        f'<p class="standing {escape(tone)}"><b>{_STATUS[status]}{since}</b>'
        f"<span>{_TRANSITIONS[alert['transition']]}</span></p>"
    )
    said = [_told(report)]
    if budget is not None:
        said.append(
            "Alerts rest on all days together, not on one verdict; without any change they come about"
            f" {figure(budget)} times a year."
        )
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in said if sentence)
    return f'<section class="card"><h2>Alert</h2>{head}{told}{_changes(report)}{day_strip(report)}</section>'


def _told(report: Part) -> str:
    """Return what the alert is about, unless the verdict above has said it already."""
    alert = report["alert"]
    if alert["transition"] == "cleared":
        return f"{plain(alert['sentence'], 300)}."
    if alert["status"] == "drift" and alert["columns"]:
        return f"It is about {_about(report)}."
    if alert["status"] == "data_break" and report["verdict"] != "data_break":
        return plain(alert["sentence"], 300)
    if alert["status"] == "quiet" and report["verdict"] == "drift":
        return "This batch differs, but the days together do not prove a lasting change yet."
    return ""


def _about(report: Part) -> str:
    """Name what is open; an open pair is the names of two columns in one, so that pairs are told apart."""
    known = {str(feature["name"]) for feature in report["features"]} | set(_OF_THE_MODEL)
    columns = [str(column) for column in report["alert"]["columns"]]
    single = [_OF_THE_MODEL.get(column, column) for column in columns if column in known]
    pairs = [column for column in columns if column not in known]
    if not single:
        return f"how columns go together: {'; '.join(plain(pair, 60) for pair in pairs[:3])}"
    together = [f"how {counted(len(pairs), 'pair')} of columns go together"] if pairs else []
    return listed([*single, *together], 8)


def _changes(report: Part) -> str:
    """Return the strongest change of every column, strongest first."""
    changes = list({change["column"]: change for change in reversed(report["alert"]["changes"])}.values())[
        ::-1
    ]
    if not changes:
        return ""
    rows = []
    for change in changes[:MOST_CHANGES]:
        name, size = _size(str(change["statistic"]), change["effect"])
        rows.append(
            f'<tr><th scope="row">{shown(change["column"])}</th><td>{escape(name)}</td>'
            f'<td class="number">{escape(size)}</td><td class="number">{counted(change["days"], "day")}</td>'
            f'<td class="number">{probability(change["p_value"])}</td></tr>'
        )
    rest = len(changes) - len(rows)
    more = f"<p>and {counted(rest, 'weaker change')}</p>" if rest > 0 else ""
    return (
        '<div class="scroll"><table class="compact"><thead><tr><th scope="col">what</th><th'
        ' scope="col">change</th>'
        '<th scope="col" class="number">size</th><th scope="col" class="number">measured over</th>'
        '<th scope="col" class="number">p</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{more}"
    )


def _size(statistic: str, effect: float | None) -> tuple[str, str]:
    if statistic in _SHARES:
        return _SHARES[statistic], share(effect)
    name, template = _STATISTICS.get(statistic, (plain(statistic, 60), "{}"))
    return name, template.format(figure(effect))
