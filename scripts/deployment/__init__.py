"""Brings a bundle to an MWAA environment and sees that it runs there (docs/deploying.md)."""
