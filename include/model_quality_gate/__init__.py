"""Whether a candidate model may be registered: a pure decision with its reasons."""
