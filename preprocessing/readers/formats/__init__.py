"""What opens a recording in one file format, a format a module."""
