import subprocess
import sys

from crossmodal.storage.process import Process


def test_this_process_is_here_and_alive():
    assert Process.this().is_here
    assert Process.this().is_alive


def test_a_process_that_ended_is_not_alive():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not Process(Process.this().host, f"{ended.pid} 0").is_alive


def test_a_later_process_of_the_same_number_is_another():
    this = Process.this()
    earlier = this._replace(name=f"{this.number} {float(this.name.split()[1]) - 3600:.0f}")
    assert not earlier.is_alive


def test_a_process_of_another_machine_is_not_here():
    assert not Process("elsewhere", Process.this().name).is_here
