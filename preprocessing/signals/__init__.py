"""What readers and steps both have to know of a recording: spans of time, names and units of channels, and how a broken one is told."""
