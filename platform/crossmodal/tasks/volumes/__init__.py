"""EEG to BOLD: one image, or the values of regions, after a stretch of EEG."""
