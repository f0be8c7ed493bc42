"""Deletion: what the manifest no longer lists (rule 3), what no service needs (13), last of all (14); --purge."""

import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

A, B, C = "www.example.test", "shop.example.test", "mail.example.test"
STAYS = "stays.example.test"  # a manifest that lists nothing is an error


def holds(*paths):
    """A test command that passes as long as all of these can be opened."""
    return "/bin/cat " + " ".join(map(str, paths))


def settle(vault, server, *names, services=(), **keys):
    for name in (*names, STAYS):
        vault.publish(name)
        server.wants(name)
    for name in names:
        server.wants(name, services=list(services) or None, **keys)
    assert server.sync().exit == 0


def is_whole(server, name):
    return server.installed(name) is not None and server.installed(name).matches


def is_gone(server, name):
    return not (server.live / name).is_symlink() and not (server.archive / name).exists()


def may_unshare():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


private_mounts = pytest.mark.skipif(not may_unshare(), reason="no private mount namespace is permitted here")


# Rule 3


def test_what_the_manifest_no_longer_lists_is_deleted_with_all_its_files(vault, server):
    settle(vault, server, A, services=["web"], cert_path=server.directory / "cert.pem",
           key_path=server.directory / "key.pem")
    assert (server.directory / "key.pem").is_symlink()
    server.unwants(A)
    run = server.sync()
    assert run.exit == 0 and A in run.stderr
    assert is_gone(server, A) and is_whole(server, STAYS)
    assert not (server.directory / "cert.pem").is_symlink() and not (server.directory / "key.pem").is_symlink()
    assert server.certificate_status(A) is None
    assert vault.requests(name=A) == 0


def test_copies_are_deleted_too(vault, server):
    copy = server.directory / "cert.pem"
    settle(vault, server, A, install="copy", cert_path=copy)
    assert copy.is_file() and not copy.is_symlink()
    server.unwants(A)
    assert server.sync().exit == 0
    assert is_gone(server, A) and not copy.exists()


def test_no_answer_of_vault_deletes_anything(vault, server):
    settle(vault, server, A, B, C)
    vault.forget(A), vault.delete(B), vault.deny(C)
    assert server.sync().exit == 2
    assert all(is_whole(server, name) for name in (A, B, C, STAYS))


def test_a_deletion_needs_no_vault(own_vault, server):
    settle(own_vault, server, A)
    server.unwants(A)
    own_vault.stop()
    assert server.sync().exit == 3
    assert is_gone(server, A) and is_whole(server, STAYS)


@pytest.mark.parametrize("cut", ["[end]\n", "]\n", "\n"])
def test_a_manifest_that_was_cut_short_deletes_nothing(vault, server, cut):
    settle(vault, server, A)
    server.unwants(A)
    before = server.files()
    text = server.manifest_text()
    server.writes(text[:text.rindex(cut)])
    assert server.sync().exit == 1
    server.writes(None)
    after = {path: facts for path, facts in server.files().items() if "manifest" not in path}
    assert after == {path: facts for path, facts in before.items() if "manifest" not in path}


def test_a_manifest_without_certificates_deletes_nothing_and_names_purge(vault, server):
    settle(vault, server, A)
    server.unwants(A, STAYS)
    run = server.sync()
    assert run.exit == 1 and "--purge" in run.stderr
    assert is_whole(server, A) and is_whole(server, STAYS)


def test_what_is_listed_again_after_its_deletion_is_as_never_seen(vault, server):
    settle(vault, server, A)
    server.unwants(A)
    assert server.sync().exit == 0
    server.wants(A)
    assert server.sync().exit == 0
    assert is_whole(server, A) and vault.keys_sent() == 1


def test_a_name_that_is_only_installed_is_deleted_by_its_name_and_nothing_else_is(vault, server):
    settle(vault, server, A, B)
    server.unwants(A, B)
    assert server.sync(A).exit == 0
    assert is_gone(server, A) and is_whole(server, B)


# Rule 7


def test_what_somebody_else_put_among_our_files_is_named_and_left(vault, server):
    settle(vault, server, A)
    foreign = server.archive / A / "notes.txt"
    foreign.write_text("mine\n")
    server.unwants(A)
    run = server.sync()
    assert foreign.read_text() == "mine\n"
    assert "notes.txt" in run.stderr and run.exit == 2
    foreign.unlink()
    assert server.sync().exit == 0
    assert is_gone(server, A)


def test_an_output_that_somebody_replaced_is_left(vault, server):
    output = server.directory / "cert.pem"
    settle(vault, server, A, cert_path=output)
    output.unlink()
    output.write_text("mine\n")
    server.unwants(A)
    server.sync()
    assert output.read_text() == "mine\n"


# Rule 13: what a service still needs


@pytest.mark.root
@private_mounts
def test_what_a_real_nginx_still_needs_stays_until_the_vhost_is_gone(vault, server, nginx):
    server.service("web", **nginx.service_keys())
    for name in (A, B):
        nginx.vhost(name, server.live / name)
    server.service("web", active="/bin/false")
    settle(vault, server, A, B, services=["web"])
    nginx.start()
    server.service("web", active=nginx.active)
    served = nginx.serves(A)
    server.unwants(A)
    run = server.sync()
    assert run.exit == 2 and "service web still needs it" in run.stderr and "0 of 2 certificates not as wanted: 1 not deleted; exit 2" in run.stderr
    assert is_whole(server, A)
    assert server.certificate_status(A)["problem"] == "still_used"
    assert nginx.serves(A) == served
    assert server.sync().exit == 2
    nginx.without(A)
    assert server.sync().exit == 0
    assert is_gone(server, A) and is_whole(server, B)


@pytest.mark.root
@private_mounts
def test_while_a_deletion_is_tried_the_files_never_vanish(vault, server):
    path = server.live / A / "fullchain.pem"
    server.service("web", test="/bin/sh -c 'sleep 0.3; cat $0' " + str(path))
    server.halts("web")
    settle(vault, server, A, services=["web"])
    server.starts("web")
    server.unwants(A)
    vanished, done = [], threading.Event()

    def read():
        while not done.is_set():
            try:
                path.read_bytes()
            except OSError as error:
                vanished.append(error)
            time.sleep(0.001)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert server.sync().exit == 2
    finally:
        done.set()
        reader.join()
    assert not vanished
    assert str(server.directory) not in Path("/proc/self/mounts").read_text()


@pytest.mark.root
@private_mounts
def test_a_service_that_needs_a_copy_holds_it(vault, server):
    copy = server.directory / "cert.pem"
    server.service("web", test=holds(copy))
    server.halts("web")
    settle(vault, server, A, services=["web"], install="copy", cert_path=copy)
    server.starts("web")
    server.unwants(A)
    assert server.sync().exit == 2
    assert is_whole(server, A) and copy.exists()
    # The state knows the commands as they were last wanted: a new one has to be wanted by somebody.
    server.service("web", test="/bin/true")
    assert server.sync().exit == 2
    server.wants(STAYS, services=["web"])
    assert server.sync().exit == 0
    assert is_gone(server, A) and not copy.exists()


@pytest.mark.root
@private_mounts
def test_what_is_held_is_deleted_by_force(vault, server):
    server.service("web", test=holds(server.live / A / "cert.pem"))
    server.halts("web")
    settle(vault, server, A, services=["web"])
    server.starts("web")
    server.unwants(A)
    assert server.sync().exit == 2
    assert server.sync(A, "--force").exit == 0
    assert is_gone(server, A)


@pytest.mark.root
@private_mounts
def test_what_is_held_and_listed_again_stays_as_it_was(vault, server):
    server.service("web", test=holds(server.live / A / "cert.pem"))
    server.halts("web")
    settle(vault, server, A, services=["web"])
    server.starts("web")
    section = server.certificates[A]
    server.unwants(A)
    assert server.sync().exit == 2
    before = server.installed(A).inodes
    server.wants(A, **section)
    assert server.sync().exit == 0
    assert server.installed(A).inodes == before
    assert server.certificate_status(A)["problem"] is None


@pytest.mark.root
def test_where_no_private_mounts_are_permitted_a_deletion_waits_for_force(vault, server):
    settle(vault, server, A, services=["web"])
    server.unwants(A)
    confined = ["setpriv", "--bounding-set=-sys_admin"]
    assert server.sync(under=confined).exit == 2
    assert is_whole(server, A)
    told = server.certificate_status(A)
    assert told["problem"] == "still_used"
    assert told["state"] == "ok" and told["fingerprint"] == server.installed(A).fingerprint, "its key is still on this server"
    check = server.run("--check")
    assert check.exit == 1 and f"{A} expires in" in check.stdout, check.stdout
    assert server.sync(A, "--force", under=confined).exit == 0
    assert is_gone(server, A)


def test_a_service_whose_test_fails_anyway_holds_what_it_may_need(vault, server):
    settle(vault, server, A, services=["web"])
    server.unwants(A)
    server.breaks("web", "test")
    run = server.sync()
    assert run.exit == 2 and "even with the files" in run.stderr
    assert is_whole(server, A)
    server.mends("web")
    assert server.sync().exit == 0
    assert is_gone(server, A)


def test_a_service_without_a_test_or_that_does_not_run_holds_nothing(vault, server):
    server.service("untested", test=None)
    settle(vault, server, A, services=["untested", "stopped"])
    server.unwants(A)
    server.breaks("stopped", "test")
    server.halts("stopped")
    assert server.sync().exit == 0
    assert is_gone(server, A)


@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="systemd runs here")
def test_a_service_that_is_not_managed_holds_nothing(vault, server):
    server.service("web", test="/bin/false", active=None, reload=None)
    settle(vault, server, A, services=["web"])
    server.unwants(A)
    assert server.sync().exit == 0
    assert is_gone(server, A)


def test_no_reload_follows_a_deletion(vault, server):
    settle(vault, server, A, B, services=["web"])
    server.unwants(A)
    assert server.sync().exit == 0
    assert is_gone(server, A) and server.reloads("web") == 0
    assert not server.service_status("web")["reload_owed"]


# Rule 14: last of all, and paths that pass to another


def test_deletions_come_after_the_reloads(vault, server):
    settle(vault, server, A, B, services=["web"])
    server.unwants(A)
    vault.publish(B)
    assert server.sync().exit == 0
    calls = server.calls("web")
    assert calls.index("reload") == calls.index("active") + 3
    assert "test" in calls[calls.index("reload"):], "the deletion was tried after it"


@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_a_path_passes_to_another_certificate_at_its_swap_and_the_old_one_stays_until_then(vault, server, install):
    path = server.directory / "cert.pem"
    old = vault.publish(A)
    settle(vault, server, A, cert_path=path, install=install)
    old = server.installed(A)
    server.unwants(A)
    server.wants(B, cert_path=path, install=install)
    assert server.sync().exit == 2, "there is no such certificate in Vault yet"
    assert is_whole(server, A) and path.read_text() == old.cert
    new = vault.publish(B)
    assert server.sync().exit == 0
    assert path.read_text() == new.cert
    assert is_gone(server, A)


def test_a_path_that_passes_is_never_missing(vault, server):
    path = server.directory / "cert.pem"
    settle(vault, server, A, cert_path=path)
    vault.publish(B)
    server.unwants(A)
    server.wants(B, cert_path=path)
    missing, done = [], threading.Event()

    def read():
        while not done.is_set():
            if not path.exists():
                missing.append(time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert server.sync().exit == 0
    finally:
        done.set()
        reader.join()
    assert not missing


# --purge




def test_purge_removes_everything_that_certlet_made(vault, server):
    settle(vault, server, A, B, services=["web"], cert_path=None)
    server.wants(A, cert_path=server.directory / "cert.pem")
    assert server.sync().exit == 0
    assert server.run("--purge").exit == 0
    assert not (server.directory / "cert.pem").is_symlink()
    assert not server.live.exists() and not server.archive.exists()
    assert not server.state_directory.exists() or not list(server.state_directory.iterdir())
    left = [path.name for path in server.run_directory.iterdir()] if server.run_directory.exists() else []
    assert len(left) <= 1 and all("lock" in name for name in left)
    assert server.manifest.exists(), "what the administrator wrote is not ours"
    assert server.reloads("web") == 0


def test_purge_takes_a_manifest_without_certificates(vault, server):
    settle(vault, server, A)
    server.unwants(A, STAYS)
    assert server.run("--purge").exit == 0
    assert is_gone(server, A) and is_gone(server, STAYS)


def test_purge_changes_nothing_with_a_manifest_that_has_errors(vault, server):
    settle(vault, server, A)
    server.agent(nonsense="1")
    assert server.run("--purge").exit == 1
    assert is_whole(server, A)


def test_purge_does_not_need_vault(own_vault, server):
    settle(own_vault, server, A)
    own_vault.stop()
    assert server.run("--purge").exit == 0
    assert is_gone(server, A)


@pytest.mark.root
@private_mounts
def test_purge_leaves_what_a_service_still_uses_unless_forced(vault, server):
    server.service("web", test=holds(server.live / A / "cert.pem"))
    server.halts("web")
    settle(vault, server, A, services=["web"])
    server.starts("web")
    assert server.run("--purge").exit == 2
    assert is_whole(server, A) and is_gone(server, STAYS)
    told = server.status()
    assert [one["name"] for one in told["certificates"]] == [A], "what is gone is told of no longer"
    assert told["certificates"][0]["problem"] == "still_used" and told["certificates"][0]["state"] == "ok"
    assert told["last_sync"]["exit"] == 2 and "user" in told["sandbox"]
    check = server.run("--check")
    assert check.exit == 1 and A in check.stdout, check.stdout
    assert server.run("--purge", "--force").exit == 0
    assert is_gone(server, A)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_purge_that_fails_at_the_end_tells_of_nothing_that_is_gone(vault, server, directory):
    settle(vault, server, A)
    under = ["strace", "-qq", "-o", directory / "trace", "-e", "trace=unlinkat", "-e", "inject=unlinkat:error=EACCES", "-P", server.etc]
    assert server.run("--purge", under=under).exit == 2
    assert server.status()["certificates"] == [] and server.status()["last_sync"]["exit"] == 2
    assert server.run("--purge").exit == 0
    assert not (server.state_directory / "status.json").exists()


@pytest.mark.parametrize("obstacle", ["run/.token.certlet", "state/.status.json.certlet"])
def test_a_purge_that_cannot_remove_a_file_of_its_own_names_it_and_removes_the_rest(vault, server, obstacle):
    settle(vault, server, A)
    where, name = obstacle.split("/")
    path = {"run": server.run_directory, "state": server.state_directory}[where] / name
    path.mkdir()
    run = server.run("--purge")
    assert run.exit == 2 and name in run.stderr and is_gone(server, A)
    path.rmdir()
    assert server.run("--purge").exit == 0
    assert list(server.state_directory.iterdir()) == [] and not (server.run_directory / "token").exists()


def test_purge_leaves_what_others_put_there(vault, server):
    settle(vault, server, A)
    (server.live / "README").write_text("mine\n")
    assert server.run("--purge").exit in (0, 2)
    assert (server.live / "README").read_text() == "mine\n"
    assert is_gone(server, A)


def test_after_a_purge_the_next_run_begins_anew(vault, server):
    settle(vault, server, A)
    assert server.run("--purge").exit == 0
    assert server.sync().exit == 0
    assert is_whole(server, A)


def test_a_purge_where_nothing_was_ever_installed_is_fine(server):
    server.wants(A)
    shutil.rmtree(server.state_directory, ignore_errors=True)
    assert server.run("--purge").exit == 0
