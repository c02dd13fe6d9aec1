"""Where recordings come from: BIDS datasets, plain files, simulated cohorts."""
