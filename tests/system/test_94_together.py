"""Several at once: runs beside runs, a purge beside a run, a manifest that changes under a run, readers of the status."""

import json
import os
import shutil
import subprocess
import threading
import time

from support.hostile import DATA, WWW

API, SHOP = "api.example.test", "shop.example.test"


def all_of(server, *verbs):
    """Starts them together; [(exit, what it said)] in the same order."""
    started = [server.start(*verb.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for verb in verbs]
    ended = [(run.communicate(timeout=120)[0].decode(errors="replace"), run.returncode) for run in started]
    return [(code, said) for said, code in ended]


def outside(server):
    out = server.directory / "out"
    out.mkdir(mode=0o755, exist_ok=True)
    return out


def assert_one_of_it(server, name, leaf):
    live = server.installed(name)
    assert live.fingerprint == leaf.fingerprint and live.matches
    assert server.generations(name) == [live.generation]


def test_twenty_runs_at_once_install_renew_and_delete_as_one(vault, server):
    out = outside(server)
    for installs in (1, 2):
        leaves = {name: vault.publish(name) for name in (WWW, API)}
        server.wants(WWW, services=["nginx"], install="copy", combined=True, cert_path=out / "www.pem", key_path=out / "www.key")
        server.wants(API, services=["nginx"])
        runs = all_of(server, *["--sync"] * 20)
        assert [code for code, _ in runs] == [0] * 20, runs
        for name, leaf in leaves.items():
            assert_one_of_it(server, name, leaf)
        assert (out / "www.pem").read_text() == leaves[WWW].cert
        assert server.reloads("nginx", since="start") == installs and vault.keys_sent(since="start") == 2 * installs
    server.unwants(WWW)
    runs = all_of(server, *["--sync"] * 20)
    assert [code for code, _ in runs] == [0] * 20, runs
    assert sum("deleted" in said for _, said in runs) == 1
    assert server.installed(WWW) is None and not list(out.iterdir())


def test_a_purge_waits_for_the_run_and_leaves_nothing(vault, server):
    vault.publish(WWW)
    server.wants(WWW, services=["nginx"])
    server.slows("nginx", "reload", 1)
    syncing = server.start("--sync")
    while server.installed(WWW) is None:
        time.sleep(0.01)
    purge = server.run("--purge")
    assert purge.exit == 0, purge.output
    assert syncing.wait() == 0 and server.reloads("nginx", since="start") == 1
    assert server.installed(WWW) is None and not server.archive.exists()
    assert list(server.state_directory.glob("*")) == [] and [path.name for path in server.run_directory.iterdir()] == ["lock"]
    server.mends("nginx")
    assert server.sync().exit == 0 and server.installed(WWW).matches


def test_runs_and_purges_in_any_order_end_whole(vault, server):
    leaf = vault.publish(WWW)
    out = outside(server)
    server.wants(WWW, services=["nginx"], install="copy", cert_path=out / "www.pem", key_path=out / "www.key")
    for _ in range(3):
        runs = all_of(server, *["--sync", "--purge", "--sync --dry-run", "--sync", f"--sync {WWW}", "--purge --force"] * 2)
        # A dry run takes no lock, and a name is unknown to none: it stands in the manifest.
        assert all(code in (0, 2) for code, _ in runs), runs
        if (server.live / WWW).exists():
            assert_one_of_it(server, WWW, leaf)
            assert (out / "www.pem").read_text() == leaf.cert and (out / "www.key").read_text() == leaf.key
        else:
            assert not list(out.iterdir()) and not server.archive.exists()
    assert server.sync().exit == 0
    assert_one_of_it(server, WWW, leaf)


def test_a_manifest_that_changes_during_the_talk_is_for_the_next_run(standin, server, ca, served):
    shop, newer = ca.leaf([SHOP]), ca.leaf([WWW])
    standin.holds(SHOP, shop)
    server.wants(SHOP)
    assert server.sync().exit == 0
    standin.forget()
    standin.logs_in().holds(WWW, newer, version=2).holds(SHOP, shop).holds(API, ca.leaf([API]))
    body = standin._scripts[DATA][0].body

    def rewrites_and_answers(connection):
        server.unwants(SHOP)
        server.wants(API)
        server.write_manifest()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    standin.forget(DATA)
    standin.reply(DATA, says=rewrites_and_answers)
    assert server.sync().exit == 0
    assert_one_of_it(server, WWW, newer)
    assert server.installed(SHOP).matches and server.installed(API) is None
    assert server.sync().exit == 0
    assert server.installed(SHOP) is None and server.installed(API).matches


def test_a_manifest_that_vanishes_or_breaks_during_the_talk_changes_nothing_then_or_later(standin, server, ca, served):
    for version, text in enumerate([None, "", "[vault]\n", "[end]\n", server.manifest_text().replace("[end]\n", "")], 2):
        newer = ca.leaf([WWW])
        standin.forget()
        standin.logs_in().holds(WWW, newer, version=version)
        body = standin._scripts[DATA][0].body

        def breaks_and_answers(connection):
            server.manifest.unlink()
            if text is not None:
                server.manifest.write_text(text)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        standin.forget(DATA)
        standin.reply(DATA, says=breaks_and_answers)
        assert server.sync().exit == 0
        assert_one_of_it(server, WWW, newer)
        # What was written stays for this one: execute() does not write the manifest anew.
        assert server.execute(server.command("--sync")).exit == 1
        assert_one_of_it(server, WWW, newer)
    assert server.sync().exit == 0


def test_a_manifest_that_is_written_slowly_deletes_nothing(vault, server):
    leaf = vault.publish(WWW)
    vault.publish(API)
    server.wants(API)
    server.wants(WWW)
    assert server.sync().exit == 0
    text = server.manifest.read_text()
    stop = threading.Event()

    def rewrite():
        while not stop.is_set():
            with open(server.manifest, "w") as file:  # in place, as an editor may
                for start in range(0, len(text), 40):
                    file.write(text[start:start + 40])
                    file.flush()
                    time.sleep(0.0003)
            time.sleep(0.005)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        exits = [server.execute(server.command("--sync")).exit for _ in range(60)]
    finally:
        stop.set()
        writer.join()
    assert set(exits) == {0, 1}, exits  # both were met, and nothing else
    assert_one_of_it(server, WWW, leaf)
    assert server.installed(API).matches
    assert server.sync().exit == 0


def test_who_reads_the_status_during_runs_never_sees_half_of_it(vault, server):
    vault.publish(WWW)
    server.wants(WWW, services=["nginx"])
    assert server.sync().exit == 0
    running = []
    for _ in range(10):
        if all(run.poll() is not None for run in running):
            running += [server.start("--sync") for _ in range(5)]
        assert server.execute(server.command("--check")).exit == 0
        assert json.loads((server.state_directory / "status.json").read_text())["last_sync"]["exit"] == 0
    assert {run.wait() for run in running} == {0}


def test_a_run_that_waits_for_the_lock_touches_nothing_meanwhile(vault, server):
    vault.publish(WWW)
    server.wants(WWW, services=["nginx"])
    server.slows("nginx", "reload", 2)
    first = server.start("--sync")
    while server.installed(WWW) is None:
        time.sleep(0.01)
    before = os.stat(server.state_directory / "state.json")
    second = server.start("--sync")
    time.sleep(0.5)
    assert first.poll() is None and second.poll() is None
    assert os.stat(server.state_directory / "state.json").st_ino == before.st_ino
    assert first.wait() == 0 and second.wait() == 0
    assert server.reloads("nginx", since="start") == 1


# Restored snapshots


def renewed_since(vault, server, kept, folder):
    """A renewal; then what lies in `folder` is again as it was before."""
    old = vault.publish(WWW)
    server.wants(WWW, services=["nginx"], combined=True)
    assert server.sync().exit == 0
    subprocess.run(["cp", "-a", folder, kept], check=True)
    new = vault.publish(WWW)
    assert server.sync().exit == 0
    assert server.reloads("nginx", since="start") == 2
    shutil.rmtree(folder)
    subprocess.run(["cp", "-a", kept, folder], check=True)
    return old, new


def test_a_state_older_than_the_disk_makes_one_reload_since_nobody_knows_what_is_served(vault, server, directory):
    _, new = renewed_since(vault, server, directory / "kept", server.state_directory)
    run = server.sync()
    assert run.exit == 0 and server.reloads("nginx") == 1, run.output
    assert_one_of_it(server, WWW, new)
    assert server.sync().exit == 0 and server.reloads("nginx") == 0


def test_a_disk_older_than_the_state_is_renewed_again(vault, server, directory):
    _, new = renewed_since(vault, server, directory / "kept", server.etc)
    run = server.sync()
    assert run.exit == 0 and server.reloads("nginx") == 1, run.output
    assert_one_of_it(server, WWW, new)
    assert server.sync().exit == 0 and server.reloads("nginx") == 0


def test_a_disk_older_than_the_state_is_used_while_vault_is_away_and_its_services_are_told(vault, server, directory, dead_address):
    old, _ = renewed_since(vault, server, directory / "kept", server.etc)
    address = server.vault_keys["address"]
    server.asks(address=dead_address, deadline="1s")
    run = server.sync()
    assert run.exit == 3 and server.reloads("nginx") == 1, run.output
    assert server.installed(WWW).fingerprint == old.fingerprint and server.installed(WWW).matches
    server.asks(address=address, deadline="20s")
    assert server.sync().exit == 0 and server.reloads("nginx") == 1


def test_nothing_left_but_the_state_is_installed_again(vault, server):
    leaf = vault.publish(WWW)
    server.wants(WWW, services=["nginx"])
    assert server.sync().exit == 0
    shutil.rmtree(server.live)
    shutil.rmtree(server.archive)
    run = server.sync()
    assert run.exit == 0 and server.reloads("nginx") == 1, run.output
    assert server.installed(WWW).fingerprint == leaf.fingerprint
