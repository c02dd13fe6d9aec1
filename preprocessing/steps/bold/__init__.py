"""Steps from a BOLD image to targets, one a file."""
