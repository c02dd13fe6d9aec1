"""What differs between tasks, a folder a task."""
