"""One preprocessing step a file."""
