"""Typed, frozen settings; standard library only: environment, run parameters, S3 layout."""
