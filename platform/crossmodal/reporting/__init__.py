"""Tables and figures made from scores and runs."""
