from preprocessing.progress import Progress
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.report import Outcome


def _entry(subject, size_bytes):
    return Entry(subject=subject, run="01", files=(SourceFile(uri=f"/{subject}.fif", size_bytes=size_bytes, version="1"),))


def test_rate_and_time_left_follow_the_bytes_that_were_made():
    now = [100.0]
    entries = {name: _entry(name, size) for name, size in (("a", 3_000_000_000), ("b", 1_000_000_000))}
    progress = Progress(3, entries, lambda: now[0])
    assert progress.describe() == "0/3 recordings, 0 failed, 0.000 GB/s"
    progress.add(Outcome(_entry("cached", 9_000_000_000), shard=object(), cached=True))
    assert (progress.rate, progress.left_s) == (0.0, None)
    now[0] += 6000
    progress.add(Outcome(entries["a"], cause="broken"))
    assert progress.left_s == 2000
    assert progress.describe() == "2/3 recordings, 1 failed, 0.001 GB/s, 0:33:20 left"
    now[0] += 2000
    progress.add(Outcome(entries["b"], shard=object()))
    assert progress.left_s == 0
    assert progress.describe() == "3/3 recordings, 1 failed, 0.001 GB/s, 0:00:00 left"
