"""Readers of recordings: BIDS datasets, plain files, datasets of EEG and fMRI."""
