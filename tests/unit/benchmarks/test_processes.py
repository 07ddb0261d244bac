"""Whatever a benchmark started is ended with it."""

import signal
import subprocess
import sys

import pytest

from benchmarks import product as products
from benchmarks.processes import end
from benchmarks.product import Product

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def started(program: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with process.stdout:
        process.stdout.readline()
    return process


def test_process_that_does_not_go_is_killed_and_the_others_are_asked_meanwhile():
    stubborn = started(STUBBORN)
    willing = started("import time; print('ready', flush=True); time.sleep(60)")

    end(stubborn, willing, seconds=0.2)

    assert stubborn.returncode == -signal.SIGKILL
    assert willing.returncode == -signal.SIGTERM


def test_product_whose_web_server_cannot_start_leaves_no_worker(monkeypatch):
    def start(command: str, *arguments: str, environment: dict[str, str]):
        if command == "serve":
            raise OSError("no memory")
        return started("import time; print('ready', flush=True); time.sleep(60)")

    monkeypatch.setattr(products, "_start", start)
    product = Product(1, {})
    product.start_worker()
    with pytest.raises(OSError, match="no memory"):
        product.start_web()

    product.stop()

    assert product.worker.returncode == -signal.SIGTERM
