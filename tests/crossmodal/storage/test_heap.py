"""Memory that workers keep."""

import subprocess
import sys

import pytest

from crossmodal.storage.heap import KEEP_FREED_MEMORY

# Ray trains in a thread.
_FAULTS_OF_A_SECOND_ARRAY = """
import resource, threading
def allocate():
    bytearray(2**26)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(2**26)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
if {in_thread}:
    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
else:
    allocate()
"""


@pytest.mark.parametrize("in_thread", [False, True])
def test_the_next_array_takes_the_memory_of_the_last(in_thread):
    """64 MB are 16,384 pages, each a fault where it is fresh."""
    script = _FAULTS_OF_A_SECOND_ARRAY.format(in_thread=in_thread)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=dict(KEEP_FREED_MEMORY))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1000
