"""
Killed anywhere: a reader that opens live/NAME once never sees a mixed pair, and the next run finishes (rule 2).

CERTLET_KILLS=200 makes as many random kills (40 unless told).
"""

import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

KILLS = int(os.environ.get("CERTLET_KILLS", "40"))
WWW = "www.example.test"
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


# A reader that never rests


def public_key(pem, known={}):
    """The digest of the public key in a certificate's or private key's PEM text. Parsed once for each text."""
    if pem not in known:
        if b"PRIVATE KEY" in pem:
            key = serialization.load_pem_private_key(pem, None).public_key()
        else:
            key = x509.load_pem_x509_certificate(pem).public_key()
        known[pem] = hashlib.sha256(key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    return known[pem]


def read_all(live, name):
    """{file: bytes} as a careful program reads them: one open of the directory, the files through it."""
    directory = os.open(live / name, os.O_RDONLY | os.O_DIRECTORY)
    try:
        files = {}
        for file in ("cert.pem", "privkey.pem", "chain.pem", "fullchain.pem", "combined.pem"):
            with os.fdopen(os.open(file, os.O_RDONLY, dir_fd=directory), "rb") as content:
                files[file] = content.read()
        return files
    finally:
        os.close(directory)


def what_is_wrong(files):
    """None when the files belong together."""
    cert, key, chain = files["cert.pem"], files["privkey.pem"], files["chain.pem"]
    if public_key(cert) != public_key(key):
        return "certificate and key do not match"
    if files["fullchain.pem"] != cert + chain or files["combined.pem"] != key + cert + chain:
        return "fullchain or combined is of something else"
    return None


def read_for_ever(live, name, found):
    """Counts reads, versions seen and reads that came too late; stops at the first mismatch."""
    reads, late, seen = 0, 0, set()
    while not found["stop"]:
        try:
            files = read_all(live, name)
        except FileNotFoundError:
            if not os.path.lexists(live / name):
                found["wrong"] = "there was no live link"
                return
            late += 1  # opened before a swap, read after the old generation was pruned
            continue
        wrong = what_is_wrong(files)
        if wrong:
            found["wrong"] = wrong
            return
        reads += 1
        seen.add(public_key(files["cert.pem"]))
        if reads % 100 == 0:
            found.update(reads=reads, late=late, seen=len(seen))


@pytest.fixture
def reader(server):
    """reader(name) starts one; it is asked at the end of the test."""
    manager = multiprocessing.Manager()
    running = []

    def start(name):
        found = manager.dict(stop=False, wrong=None, reads=0, late=0, seen=0)
        process = multiprocessing.Process(target=read_for_ever, args=(server.live, name, found), daemon=True)
        process.start()
        running.append((process, found))
        return found

    yield start
    for process, found in running:
        found["stop"] = True
        process.join(10)
        process.kill()
    manager.shutdown()


# What holds after the run that follows a kill


def assert_whole(server, name, leaf, out=None):
    live = server.installed(name)
    assert live.fingerprint == leaf.fingerprint and live.matches
    assert server.generations(name) == [live.generation]
    assert not list(server.etc.rglob(".*.certlet")) and not list(server.state_directory.rglob(".*.certlet"))
    if out:
        assert (out / "cert.pem").read_text() == live.cert and (out / "key.pem").read_text() == live.privkey
        assert sorted(path.name for path in out.iterdir()) == ["cert.pem", "key.pem"]


def outside(server):
    out = server.directory / "out"
    out.mkdir(mode=0o755)
    out.chmod(0o755)
    return out


# At random moments


def test_a_reader_sees_no_mismatch_during_random_kills_and_each_next_run_ends_well(vault, server, reader):
    out = outside(server)
    vault.publish(WWW)
    server.wants(WWW, services=["nginx"], combined=True, install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem")
    assert server.sync().exit == 0
    found = reader(WWW)
    vault.publish(WWW)
    span = server.sync().seconds
    chance = random.Random(1)
    killed = renewed = 0
    while killed < KILLS:
        leaf = vault.publish(WWW)
        running = server.start("--sync")
        time.sleep(chance.uniform(0, span))
        os.killpg(running.pid, signal.SIGKILL)
        if running.wait() == -signal.SIGKILL:
            killed += 1
            span *= 1.05  # as long as a run takes, on a machine that may be busy
        else:
            span *= 0.9
        renewed += 1
        run = server.sync()
        assert run.exit == 0, f"after renewal {renewed}: {run.output}"
        assert_whole(server, WWW, leaf, out)
        assert found["wrong"] is None
    print(f"{renewed} renewals, {killed} kills; {dict(found)}")
    assert found["reads"] > renewed and found["seen"] > renewed / 2, dict(found)
