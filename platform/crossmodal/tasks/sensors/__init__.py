"""From sensors to sensors: EEG to MEG, and back."""
