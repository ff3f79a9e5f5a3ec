"""What leaves a monitored day: messages, metrics and the wish to retrain; pure functions of its data."""
