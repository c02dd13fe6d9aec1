"""MLflow runs that survive retries."""
