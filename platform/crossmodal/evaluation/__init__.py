"""Metrics, uncertainty over subjects, and ceilings."""
