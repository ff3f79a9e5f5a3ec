"""Proves a bundle in the environments that stand for MWAA's images: `python -m scripts.preflight`."""
