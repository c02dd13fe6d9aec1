"""Head models, lead fields and cortical source statistics."""
