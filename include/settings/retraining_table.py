"""The one table of what a retraining run can be told: form, validation and documentation are made from it."""

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
    share,
    whole_number,
)

MOST_HYPERPARAMETERS = 80  # SageMaker takes 100; the toolkit's own and ours need room

# Arguments of the training script itself and names the toolkit keeps for itself.
_RESERVED = (
    "algorithm|seed|help|train_dir|encoder_dir|model_dir|output_data_dir|model_archive|hyperparameters"
    "|sagemaker_.*"
)
# One letter would reach the script as `-n` instead of `--n`.
HYPERPARAMETER_NAME_PATTERN = rf"^(?!(?:{_RESERVED})$)[a-z][a-z0-9_]+$"

ALGORITHMS = ("hist_gradient_boosting", "logistic_regression", "random_forest", "keras_mlp")

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "input_data_uri", "Data", "Where the raw data lies",
        "S3 folder or file with raw customer data: CSV, gzip CSV or Parquet; all files are read. "
        "Empty: raw/<schema>/ in the data bucket.",
        "",
        ADDRESS_OF_A_PLACE,
    ),
    Parameter(
        "schema", "Data", "Schema of the data",
        "Name of a schema that ships with the project (ibm_telco, iranian, mlc), or the S3 address of one's "
        "own .yaml or .json schema file.",
        "ibm_telco",
        {
            "type": "string", "maxLength": 500,
            "pattern": rf"^([a-z][a-z0-9_]{{0,62}}|{S3_PLACE}{KEY_CHARACTERS}\.(yaml|yml|json))$",
            "$comment": "the name of a schema of this project, or s3://bucket/folder/name.yaml (or .json)",
        },
    ),
    Parameter(
        "on_missing_data", "Data", "When no data exists",
        "fail: end the run and say where data was looked for. synthetic: invent customers with the columns "
        "of ibm_telco; everything made from them is marked synthetic and the model can never be approved.",
        "fail", choice(("fail", "synthetic")),
    ),
    Parameter(
        "synthetic_rows", "Data", "Synthetic customers",
        "How many customers to invent when there is no data and on_missing_data is synthetic.",
        10_000, whole_number(500, 10_000_000),
    ),
    Parameter(
        "test_fraction", "Data", "Share held out for the test",
        "Share of the customers that training never sees and the model is judged on.",
        0.2, share(0.05, 0.5),
    ),
    Parameter(
        "algorithm", "Model", "Algorithm",
        "hist_gradient_boosting (calibrated), logistic_regression and random_forest run on the scikit-learn "
        "image, keras_mlp on the TensorFlow image.",
        "hist_gradient_boosting", choice(ALGORITHMS),
    ),
    Parameter(
        "hyperparameters", "Model", "Hyperparameters",
        'Names and values for the algorithm, for example {"learning_rate": 0.05}; what is not named keeps '
        "its default. Names are snake_case of two letters or more.",
        {},
        {
            "type": "object",
            "maxProperties": MOST_HYPERPARAMETERS,
            "propertyNames": {
                "pattern": HYPERPARAMETER_NAME_PATTERN, "maxLength": 64,
                "$comment": "snake_case of two letters or more, and not a name of the training script itself "
                "(algorithm, seed ...)",
            },
            "additionalProperties": {
                "type": ["string", "number", "boolean"],
                # With the quotes that keep a text a text on its way, 256 characters: SageMaker's limit.
                "maxLength": 254,
                "pattern": r"^[A-Za-z0-9_.:/=+ \-]*$",
                "$comment": "a word of letters, digits, spaces and _ . : / = + -",
                "minimum": -1e15,
                "maximum": 1e15,
            },
        },
    ),
    Parameter(
        "seed", "Model", "Random seed",
        "Seed of the split, of training and of the bootstrap: the same data and seed give the same model.",
        42, whole_number(0, 4_294_967_295),
    ),
    Parameter(
        "gate_metric", "Accuracy gate", "Metric of the gate",
        "Which metric must reach its threshold before a model is registered.",
        "accuracy", choice(("accuracy", "roc_auc")),
    ),
    Parameter(
        "accuracy_threshold", "Accuracy gate", "Accuracy threshold",
        "Lowest accuracy on the held-out customers that passes when gate_metric is accuracy (the threshold "
        "itself passes).",
        0.80, share(),
    ),
    Parameter(
        "roc_auc_threshold", "Accuracy gate", "ROC-AUC threshold",
        "Lowest area under the ROC curve on the held-out customers that passes when gate_metric is roc_auc "
        "(the threshold itself passes).",
        0.80, share(),
    ),
    Parameter(
        "gate_safeguards", "Accuracy gate", "Safeguards",
        "Also require that the model beats the majority class, ranks and calibrates well, and is not so good "
        "that a leaked column must be suspected (docs/quality-gate.md).",
        True, {"type": "boolean"},
    ),
    Parameter(
        "preprocess_instance_type", "Machines", "Instance for preprocess",
        "SageMaker instance that validates, cleans and splits the data.",
        "ml.m5.large", choice(INSTANCE_TYPES),
    ),
    Parameter(
        "train_instance_type", "Machines", "Instance for train",
        "SageMaker instance that trains the model.",
        "ml.m5.large", choice(INSTANCE_TYPES),
    ),
    Parameter(
        "evaluate_instance_type", "Machines", "Instance for evaluate",
        "SageMaker instance that judges the model.",
        "ml.m5.large", choice(INSTANCE_TYPES),
    ),
    VOLUME,
    RUNTIME,
    Parameter(
        "use_spot_instances", "Machines", "Spot instances for training",
        "Train on spare capacity: cheaper, may wait up to an hour for an instance and start over when it is "
        "taken away.",
        False, {"type": "boolean"},
    ),
    Parameter(
        "model_package_group", "Registration", "Model package group",
        "Group of the model registry that gets the new version; made when it does not exist. Models made "
        "from synthetic data go to <group>-synthetic.",
        "telecom-churn",
        # SageMaker takes 63 characters; "-synthetic" needs ten of them.
        {
            "type": "string", "minLength": 1, "maxLength": 53,
            # A real model in a group that is marked synthetic, or the reverse, must not be possible.
            "pattern": r"^(?!.*-synthetic$)[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?$",
            "$comment": "letters and digits, with hyphens inside, and not end in -synthetic",
        },
    ),
    Parameter(
        "reason", "Registration", "Why this run",
        "Free text that stays with the run and the registered model.",
        "", REASON,
    ),
)  # fmt: skip
