"""Draw synthetic telecom customers whose churn probability is known exactly.

The twelve features of the `ibm_telco` schema are drawn with plausible dependence (a customer without
internet has no online security, total charges follow months times price). The label is one Bernoulli draw
from a logistic function of them, so the accuracy no model can beat, the Bayes accuracy, is a known figure.
"""

from dataclasses import dataclass

import numpy as np

LEVELS = {
    "contract_type": ("Month-to-month", "One year", "Two year"),
    "internet_service": ("DSL", "Fiber optic", "No"),
    "phone_service": ("No", "Yes"),
    "multiple_lines": ("No", "Yes", "No phone service"),
    "online_security": ("No", "Yes", "No internet service"),
    "tech_support": ("No", "Yes", "No internet service"),
    "payment_method": (
        "Electronic check",
        "Mailed check",
        "Bank transfer (automatic)",
        "Credit card (automatic)",
    ),
    "paperless_billing": ("No", "Yes"),
}
FEATURE_NAMES = (
    "tenure_months",
    "monthly_charges",
    "total_charges",
    "senior_citizen",
    "contract_type",
    "internet_service",
    "phone_service",
    "multiple_lines",
    "online_security",
    "tech_support",
    "payment_method",
    "paperless_billing",
)
# Log-odds per level at signal scale 1; the size makes scale 1.4 give AUC .920 and scale 0.8 give .833.
_LEVEL_LOG_ODDS = {
    "contract_type": (0.97, -0.54, -1.51),
    "internet_service": (-0.11, 0.65, -0.76),
    "phone_service": (-0.11, 0.0),
    "multiple_lines": (0.0, 0.11, 0.0),
    "online_security": (0.0, -0.38, 0.0),
    "tech_support": (0.0, -0.38, 0.0),
    "payment_method": (0.43, -0.11, -0.22, -0.27),
    "paperless_billing": (0.0, 0.27),
}
_SOLVER_ROWS = 400_000
_SOLVER_SEED = 20_240_229


@dataclass(frozen=True)
class Customers:
    """n customers: numbers and level codes by feature name, and the log-odds of churn at signal scale 1."""

    columns: dict[str, np.ndarray]
    log_odds: np.ndarray


def draw_customers(count: int, rng: np.random.Generator) -> Customers:
    """Draw `count` customers; every value lies inside the `ibm_telco` schema and keeps its rules."""

    def chance(probability: float | np.ndarray) -> np.ndarray:
        return rng.random(count) < probability

    tenure = np.where(chance(0.16), rng.integers(0, 4, count), rng.integers(0, 73, count))
    is_monthly = chance(np.where(tenure < 24, 0.75, 0.40))
    contract = np.where(is_monthly, 0, np.where(chance(0.5), 1, 2))
    internet = np.searchsorted(np.array([0.34, 0.78]), rng.random(count), side="right")
    without_internet = internet == 2
    phone = np.where((internet == 0) & chance(0.28), 0, 1)
    lines = np.where(phone == 0, 2, chance(0.46))
    security = np.where(without_internet, 2, chance(0.36))
    support = np.where(without_internet, 2, chance(0.37))
    payment = np.searchsorted(np.array([0.34, 0.57, 0.79]), rng.random(count), side="right")
    price = np.array([45.0, 75.0, 20.0])[internet] + np.array([6.0, 7.0, 0.0])[
        internet
    ] * rng.standard_normal(count)
    price += 5.0 * ((lines == 1) + (security == 1) + (support == 1)) + 2.0 * rng.standard_normal(count)
    price += 12.0 * rng.random(count) * ~without_internet
    monthly = np.clip(np.round(price, 2), 18.25, 119.5)
    total = np.round(tenure * monthly * (1 + np.clip(0.03 * rng.standard_normal(count), -0.2, 0.03)), 2)
    columns = {
        "tenure_months": tenure.astype(np.int64),
        "monthly_charges": monthly,
        "total_charges": total,
        "senior_citizen": chance(0.16).astype(np.int64),
        "contract_type": contract,
        "internet_service": internet,
        "phone_service": phone,
        "multiple_lines": lines,
        "online_security": security,
        "tech_support": support,
        "payment_method": payment,
        "paperless_billing": chance(0.59).astype(np.int64),
    }
    log_odds = 1.19 * (32 - tenure) / 24 + 0.49 * (monthly - 65) / 30 + 0.27 * columns["senior_citizen"]
    for name, effects in _LEVEL_LOG_ODDS.items():
        log_odds += np.array(effects)[columns[name]]
    return Customers(columns, log_odds)


def churn_probability(log_odds: np.ndarray, signal_scale: float, intercept: float) -> np.ndarray:
    """Return the true probability of churn, float64 (n,)."""
    return 1 / (1 + np.exp(-(signal_scale * log_odds + intercept)))


def solve_intercept(churn_rate: float, signal_scale: float) -> float:
    """Return the intercept that gives the churn rate, by bisection on a fixed sample of 400,000 customers."""
    log_odds = draw_customers(_SOLVER_ROWS, np.random.default_rng(_SOLVER_SEED)).log_odds
    low, high = -60.0, 60.0
    for _ in range(50):
        middle = (low + high) / 2
        if churn_probability(log_odds, signal_scale, middle).mean() < churn_rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def bayes_auc(probabilities: np.ndarray) -> float:
    """Return the AUC of ranking by the true probabilities, expected over the labels they give."""
    ordered = np.sort(probabilities)
    negatives_below = np.cumsum(1 - ordered) - (1 - ordered) / 2
    return float((ordered * negatives_below).sum() / (ordered.sum() * (1 - ordered).sum()))
