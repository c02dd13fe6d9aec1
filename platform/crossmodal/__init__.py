"""Predict what the expensive scanner would have seen from the cheap one."""
