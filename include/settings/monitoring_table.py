"""The one table of what a monitoring run can be told: form, validation and documentation are made from it."""

from include.settings.parameter_table import (
    ADDRESS_OF_A_PLACE,
    INSTANCE_TYPES,
    KEY_CHARACTERS,
    REASON,
    RUNTIME,
    S3_PLACE,
    VOLUME,
    Parameter,
    choice,
    number,
    share,
    whole_number,
)

# The sensor's own time limit follows from it.
LONGEST_GRACE_HOURS = 72
# Labels that come later than label_delay_days by up to this much are used by the next days.
LATE_LABEL_DAYS = 7

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "batch_date", "Data", "Date of the batch",
        "Day that is judged, as YYYY-MM-DD. Empty: the day before the run.",
        "",
        {
            "type": ["string", "null"], "maxLength": 10,
            "pattern": r"^(20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$",
            "$comment": "a date such as 2026-11-24, or empty",
        },
    ),
    Parameter(
        "batch_uri", "Data", "Where the batch lies",
        "S3 folder or file with that day's customers: CSV, gzip CSV or Parquet. "
        "Empty: current/<schema>/<batch_date>/ in the data bucket.",
        "", ADDRESS_OF_A_PLACE,
    ),
    Parameter(
        "schema", "Data", "Schema of the batch",
        "Name of a schema that ships with the project, or the S3 address of a .yaml or .json schema file, "
        "for a batch whose columns are spelt differently. Empty: the schema of the approved model.",
        "",
        {
            "type": ["string", "null"], "maxLength": 500,
            "pattern": rf"^([a-z][a-z0-9_]{{0,62}}|{S3_PLACE}{KEY_CHARACTERS}\.(yaml|yml|json))?$",
            "$comment": "the name of a schema of this project, s3://bucket/name.yaml (or .json), or empty",
        },
    ),
    Parameter(
        "batch_grace_hours", "Data", "Grace time (hours)",
        "How long after the end of the batch's day to wait for it before it counts as missing, which is an "
        "alert of its own.",
        12.0, number(0, LONGEST_GRACE_HOURS),
    ),
    Parameter(
        "labels_uri", "Data", "Where outcomes lie",
        "S3 folder or file with the outcomes of customers scored label_delay_days earlier: customer id and "
        "churn. Empty: labels/<schema>/<that date>/ in the data bucket, used when there is something.",
        "", ADDRESS_OF_A_PLACE,
    ),
    Parameter(
        "label_delay_days", "Data", "Days until outcomes are known",
        "How many days after a batch its customers' outcomes are complete. 0: labels_uri belongs to the "
        "customers of this very batch.",
        30, whole_number(0, 365),
    ),
    Parameter(
        "model_package_group", "Model", "Model package group",
        "Group of the model registry whose approved model is monitored.",
        "telecom-churn",
        {
            "type": "string", "minLength": 1, "maxLength": 63,
            "pattern": r"^[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?$",
            "$comment": "letters and digits, with hyphens inside",
        },
    ),
    Parameter(
        "reference_version", "Model", "Model version",
        "Version number to compare with. Empty: the latest approved version. A number names any version, "
        "approved or not, for a trial; the report says which.",
        "",
        {
            "type": ["string", "null"], "maxLength": 9, "pattern": r"^([1-9][0-9]{0,8})?$",
            "$comment": 'a version number in quotes such as "3", or empty',
        },
    ),
    Parameter(
        "alpha", "Rule", "False alarms per day",
        "Share of days without drift on which some column may look changed (over all columns together).",
        0.05, share(0.0001, 0.5),
    ),
    Parameter(
        "correction", "Rule", "Correction across columns",
        "holm keeps alpha for all columns together, bh lets the named share of findings be false, none "
        "judges each column alone.",
        "holm", choice(("holm", "bh", "none")),
    ),
    Parameter(
        "yearly_false_alerts", "Rule", "False alerts per year",
        "How many messages a year of daily looks may bring although nothing has changed.",
        0.1, number(0.001, 12.0),
    ),
    Parameter(
        "domain_classifier", "Rule", "Domain classifier",
        "Also train a classifier that tells the batch from the reference, and test how well it can.",
        False, {"type": "boolean"},
    ),
    Parameter(
        "accuracy_drop", "Rule", "Largest drop of accuracy",
        "How far accuracy on known outcomes may fall below the registered accuracy (0.05: five points).",
        0.05, share(0.001, 0.5),
    ),
    Parameter(
        "floor_location", "Rule", "Smallest shift that matters",
        "A smaller shift of a number, in standard deviations, is no drift however sure it is.",
        0.05, number(0.0, 5.0),
    ),
    Parameter(
        "floor_total_variation", "Rule", "Smallest change of a mix that matters",
        "A smaller change of a category's shares (half the sum of all changes) is no drift however sure.",
        0.02, share(),
    ),
    Parameter(
        "break_missing", "Rule", "Missing values that break the data",
        "When the share of missing values in a column rises by this much the data are broken, not drifted.",
        0.05, share(0.001, 1.0),
    ),
    Parameter(
        "break_unseen", "Rule", "Unseen values that break the data",
        "When this share of a column's values was never seen in training the data are broken, not drifted.",
        0.05, share(0.001, 1.0),
    ),
    Parameter(
        "publish_alerts", "Publishing", "Send alerts",
        "Send a message to the SNS topic when something changed that matters: new, worse or cleared.",
        True, {"type": "boolean"},
    ),
    Parameter(
        "publish_metrics", "Publishing", "Publish metrics",
        "Publish the day's figures to CloudWatch, drift or not.",
        True, {"type": "boolean"},
    ),
    Parameter(
        "retrain_on_drift", "Retraining", "Retrain on drift",
        "Start churn_retraining when drift is alerted; never on broken or missing data.",
        False, {"type": "boolean"},
    ),
    Parameter(
        "retraining_cooldown_days", "Retraining", "Days between retrainings",
        "Drift starts no further retraining until this many days have passed.",
        7, whole_number(0, 365),
    ),
    Parameter(
        "retraining_monthly_budget", "Retraining", "Retrainings per month",
        "Most retrainings that drift may start in a calendar month.",
        2, whole_number(0, 31),
    ),
    Parameter(
        "retraining_input_data_uri", "Retraining", "Data to retrain on",
        "input_data_uri of the retraining that drift starts. Empty: that DAG's own default.",
        "", ADDRESS_OF_A_PLACE,
    ),
    Parameter(
        "instance_type", "Machines", "Instance",
        "SageMaker instance that scores the batch and compares it.",
        "ml.m5.large", choice(INSTANCE_TYPES),
    ),
    VOLUME,
    RUNTIME,
    Parameter(
        "reason", "Run", "Why this run",
        "Free text that stays with the run.",
        "", REASON,
    ),
)  # fmt: skip
