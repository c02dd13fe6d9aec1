"""EEG and BOLD recorded at once: datasets as they are laid out, and their images."""
