"""EEG or MEG to the activity of cortical regions, learned from samples that a simulator makes."""
