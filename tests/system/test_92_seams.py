"""Where two states meet: a run and the one before it, a problem and the next one, a process and its parent."""

import fcntl
import re
import shutil
import socket
import time

import pytest

WEB, SHOP = "www.example.test", "shop.example.test"


def settled(vault, server, *names, services=("web",)):
    leaves = [vault.publish(name) for name in names]
    for name in names:
        server.wants(name, services=list(services))
    assert server.sync().exit == 0
    return leaves


def test_a_run_that_waited_for_the_lock_reads_the_manifest_of_now(vault, server):
    settled(vault, server, WEB)
    before = server.manifest.read_text()
    settled(vault, server, SHOP)
    now = server.manifest.read_text()
    server.writes(before)
    with open(server.run_directory / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = server.start("--sync")
        time.sleep(1)
        server.manifest.write_text(now)
    waiting.communicate()
    assert server.installed(SHOP) is not None


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_manifest_is_looked_up_to_be_read_and_after_the_lock_to_see_whether_it_is_still_that_one(vault, server, directory):
    def lookups(*verb):
        trace = directory / "trace"
        run = server.execute(server.command(*verb, under=["strace", "-qq", "-o", trace, "-e", "trace=%file", "-P", server.manifest]),
                             env={"ASAN_OPTIONS": "detect_leaks=0"})  # no leak checker works under strace
        return run, [line.split("(")[0] for line in trace.read_text().splitlines() if re.match(rf'(?!exec).*"{server.manifest}"', line)]

    settled(vault, server, WEB)
    run, calls = lookups("--sync")
    assert run.exit == 0 and calls[0] == "openat" and len(calls) == 2, calls
    run, calls = lookups("--sync", "--dry-run")
    assert run.exit == 0 and calls == ["openat"]


def test_a_refusal_is_remembered_through_another_problem(vault, server):
    settled(vault, server, WEB)
    vault.publish(WEB, starts=-10, days=5)
    assert server.sync().exit == 2
    vault.deny(WEB)
    assert server.sync().exit == 2
    vault.allow(WEB)
    assert server.sync().exit == 2 and vault.keys_sent() == 0
    assert server.certificate_status(WEB)["problem"] == "refused"


def test_a_quarantine_is_remembered_through_another_problem(vault, server):
    settled(vault, server, WEB)
    server.rejects("web", vault.publish(WEB), "reload")
    assert server.sync().exit == 2
    vault.deny(WEB)
    assert server.sync().exit == 2
    vault.allow(WEB)
    assert server.sync().exit == 2 and vault.keys_sent() == 0
    assert server.certificate_status(WEB)["problem"] == "quarantined"


def test_a_roll_back_that_was_killed_is_finished_and_the_quarantine_holds(vault, server):
    settled(vault, server, WEB, services=("mail", "web"))
    steps = server.directory / "steps"
    steps.write_text("fail kill")
    reload = server.directory / "reload"
    reload.write_text(f"""#!/bin/sh
read -r step rest < {steps}
echo "$rest" > {steps}
case $step in fail) exit 1 ;; kill) kill -9 $PPID ;; esac
""")
    reload.chmod(0o755)
    server.service("web", reload=reload)
    old = server.installed(WEB).fingerprint
    vault.publish(WEB)
    assert server.sync().exit != 0
    run = server.sync()
    assert run.exit == 2 and vault.keys_sent() == 0
    assert server.installed(WEB).fingerprint == old
    assert server.reloads("mail") == 1  # it had taken the new one
    assert server.certificate_status(WEB)["problem"] == "quarantined"


def test_a_large_file_of_others_is_never_taken_for_ours(vault, server, directory):
    settled(vault, server, WEB)
    mine = directory / "out" / "combined.pem"
    mine.parent.mkdir()
    mine.write_bytes(b"precious" * 700 * 1024)
    server.wants(WEB, combined_path=mine)
    assert server.sync().exit == 2
    assert not mine.is_symlink() and mine.stat().st_size == 8 * 700 * 1024


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listed:
            return [int(child) for child in listed.read().split()]
    except OSError:
        return []


def memory(pid):
    """All that the process may write to, as one text."""
    text = b""
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
            for line in maps:
                span, rights = line.split()[:2]
                first, last = (int(part, 16) for part in span.split("-"))
                if rights.startswith("rw") and last - first < 1 << 28:  # AddressSanitizer's own is terabytes
                    mem.seek(first)
                    text += mem.read(last - first)
    except OSError:
        pass  # it ended meanwhile
    return text


def test_the_process_that_verifies_knows_no_credential_and_no_key(vault, server):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server.service("web", verify=f"127.0.0.1:{mute.getsockname()[1]}", timeout="3s")
        vault.publish(WEB)
        server.wants(WEB, services=["web"])
        secret_id = (server.etc / "secret-id").read_bytes().strip()
        run = server.start("--sync")
        looked = 0
        while run.poll() is None:
            installed = server.installed(WEB)
            key = installed.privkey.splitlines()[1].encode() if installed else secret_id
            for child in children(run.pid):
                text = memory(child) if installed else b""
                looked += bool(text)
                assert secret_id not in text and key not in text
            time.sleep(0.02)
        run.communicate()
    assert looked > 0


def test_a_port_that_was_put_right_by_hand_is_seen(vault, server, nginx):
    settled(vault, server, WEB)
    nginx.vhost(WEB, server.live / WEB)
    nginx.start()
    server.service("web", timeout="3s", **nginx.service_keys(verify=True))
    other = server.directory / "other"
    other.mkdir()
    vault.ca.leaf(SHOP).write(other)
    nginx.vhost(WEB, other)
    vault.publish(WEB)
    assert server.sync().exit == 2
    nginx.vhost(WEB, server.live / WEB)
    server.execute(nginx.reload.split())
    assert nginx.comes_to_serve(server.installed(WEB).fingerprint, WEB)
    assert server.sync().exit == 0


def test_a_deletion_that_was_cut_short_and_is_regretted_is_cured_by_one_run(vault, server):
    leaf = vault.publish(WEB)
    server.wants(WEB)
    assert server.sync().exit == 0
    (server.live / WEB).unlink()
    (server.archive / WEB / "1" / "privkey.pem").unlink()
    run = server.sync()
    assert run.exit == 0, run.output
    assert server.installed(WEB).fingerprint == leaf.fingerprint and server.installed(WEB).matches
