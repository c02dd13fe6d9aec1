"""Networks and baselines behind one interface."""
