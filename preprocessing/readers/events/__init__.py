"""What happened when: annotations and trigger lines of a recording."""
