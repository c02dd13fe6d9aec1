"""Memory that workers free and take again."""

from collections.abc import Mapping

# The environment in which glibc keeps the memory of large arrays when they are freed. By default it hands it back to the system, which
# clears each page again when the next array is first written; a worker that does the same to batch after batch, or to recording after
# recording, needs the same memory again at once. It is one heap for all threads, since those of a thread's own hold 64 MB at most.
KEEP_FREED_MEMORY: Mapping[str, str] = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "1000000000000", "MALLOC_ARENA_MAX": "1"}
