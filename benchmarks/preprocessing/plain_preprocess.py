"""The plain way to preprocess: pandas and scikit-learn as most tutorials write it, for comparison.

Reads all CSV files of a directory, cleans, drops duplicates, splits, fits scaler and encoder on train, writes
train and test. It counts nothing, checks no range, level or leak, and refuses nothing.
"""

import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMERIC = ["tenure_months", "monthly_charges", "total_charges", "senior_citizen"]


def main(input_dir: Path, output_dir: Path) -> None:
    frame = pd.concat([pd.read_csv(path) for path in sorted(input_dir.glob("*.csv"))], ignore_index=True)
    frame = frame.dropna(subset=["churn"])
    frame["churn"] = frame["churn"].map({"Yes": 1, "No": 0})
    for name in NUMERIC:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
        frame[name] = frame[name].fillna(frame[name].median())
    frame = frame.drop_duplicates().drop_duplicates(subset=["customer_id"])
    frame = frame.drop(columns=["customer_id"])
    frame = frame[["churn", *(name for name in frame.columns if name != "churn")]]
    train, test = train_test_split(frame, test_size=0.2, random_state=42, stratify=frame["churn"])
    categorical = [name for name in frame.columns if name not in {*NUMERIC, "churn"}]
    encoder = ColumnTransformer(
        [
            ("scale", StandardScaler(), NUMERIC),
            ("one_hot", OneHotEncoder(handle_unknown="ignore"), categorical),
        ]
    )
    encoder.fit(train.drop(columns=["churn"]))
    output_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(encoder, output_dir / "encoder.joblib")
    train.to_csv(output_dir / "train.csv", index=False)
    test.to_csv(output_dir / "test.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
