"""certlet-publish from certbot's side: as its deploy hook, and --all, which makes up for hooks that failed."""

import os
import signal
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from support import process

NAMES = ["a.example.test", "b.example.test", "c.example.test"]


@pytest.fixture
def live(directory):
    """/etc/letsencrypt/live, as certbot keeps it."""
    path = directory / "letsencrypt" / "live"
    path.mkdir(parents=True)
    (path / "README").write_text("This directory contains your keys and certificates.\n")
    return path


@pytest.fixture
def lineages(live, ca):
    """A function that writes leaves as lineages: {name: leaf}."""
    def write(*names, **options):
        leaves = {name: ca.leaf([name.removesuffix("-0001")], **options) for name in names}
        for name, leaf in leaves.items():
            leaf.write(live / name)
            (live / name / "README").write_text("This directory contains your keys and certificates.\n")
        return leaves
    return write


def published(vault, name):
    return vault.api("GET", f"{vault.kv_mount}/data/certs/{name}")["data"]


def published_names(vault):
    return vault.api("GET", f"{vault.kv_mount}/metadata/certs?list=true")["data"]["keys"]


def hook(server, *arguments, lineage):
    """Runs certlet-publish as certbot runs it; server.publish() has written the configuration."""
    return server.publish(*arguments, env={"RENEWED_LINEAGE": str(lineage), "RENEWED_DOMAINS": "a b"})


def test_certbots_deploy_hook_needs_no_arguments(vault, server, live, lineages):
    leaf = lineages(NAMES[0])[NAMES[0]]
    run = hook(server, lineage=live / NAMES[0])
    assert run.exit == 0 and f"{NAMES[0]}: published version 1" in run.stderr, run.output
    assert published(vault, NAMES[0])["data"] == leaf.fields()
    assert hook(server, "--name", "_other", lineage=live / NAMES[0]).exit == 0
    assert published(vault, "_other")["data"] == leaf.fields()


def test_arguments_go_before_the_hooks_environment(vault, server, live, lineages):
    lineages(*NAMES[:2])
    assert hook(server, live / NAMES[1], lineage=live / NAMES[0]).exit == 0
    assert published_names(vault) == [NAMES[1]]
    assert hook(server, "--all", live, lineage="/nonexistent").exit == 0


def test_all_publishes_what_is_missing_and_then_says_one_line(vault, server, live, lineages):
    leaves = lineages(*NAMES)
    token = vault.publisher_token(counted=True)
    run = server.publish("--all", live, token=token)
    assert run.exit == 0, run.output
    assert "3 published, 0 unchanged, 0 not as wanted" in run.stderr and "README" not in run.stderr
    for name, leaf in leaves.items():
        assert published(vault, name)["data"] == leaf.fields()
        assert published(vault, name)["metadata"]["custom_metadata"] == leaf.custom_metadata(version=1)
    vault.mark()
    run = server.publish("--all", live, token=token)
    assert run.exit == 0
    assert run.stderr == f"certlet-publish: 3 certificates below {live}: up to date in Vault\n"
    assert vault.keys_sent() == 0 and vault.requests() == vault.requests("metadata") == 3


def test_all_publishes_what_was_renewed(vault, server, live, lineages):
    lineages(*NAMES, starts=-60)
    assert server.publish("--all", live).exit == 0
    renewed = lineages(NAMES[1])[NAMES[1]]
    run = server.publish("--all", live)
    assert run.exit == 0 and "1 published, 2 unchanged, 0 not as wanted" in run.stderr
    assert published(vault, NAMES[1])["data"] == renewed.fields()


def test_all_looks_into_secrets_of_which_nothing_is_noted(vault, server, live, lineages):
    leaves = lineages(*NAMES[:2])
    vault.put(NAMES[0], leaves[NAMES[0]].fields())
    vault.put(NAMES[1], leaves[NAMES[0]].fields())
    run = server.publish("--all", live)
    assert run.exit == 0 and "1 published, 1 unchanged" in run.stderr, run.output
    assert published(vault, NAMES[0])["metadata"]["custom_metadata"] == leaves[NAMES[0]].custom_metadata(version=1)
    assert published(vault, NAMES[1])["data"] == leaves[NAMES[1]].fields()


def test_all_replaces_what_somebody_published_by_other_means(vault, server, live, lineages):
    """The notes are still those of version 1, and would fit."""
    leaf = lineages(NAMES[0])[NAMES[0]]
    assert server.publish("--all", live).exit == 0
    vault.put(NAMES[0], {"cert": "x"})
    run = server.publish("--all", live)
    assert run.exit == 0 and "published version 3" in run.stderr, run.output
    assert published(vault, NAMES[0])["data"] == leaf.fields()


def test_a_bad_lineage_holds_up_no_other_and_is_exit_2(vault, server, live, lineages, ca):
    lineages(*NAMES)
    (live / NAMES[0] / "privkey.pem").unlink()
    ca.leaf([NAMES[1]], starts=-91).write(live / NAMES[1])
    (live / "notes.txt").write_text("")
    (live / "a b").mkdir()
    run = server.publish("--all", live)
    assert run.exit == 2, run.output
    assert f"{NAMES[0]}: {live}/{NAMES[0]}/privkey.pem is missing" in run.stderr
    assert f"{NAMES[1]}: expected a certificate" in run.stderr
    assert "a b: a NAME is up to 253 letters" in run.stderr
    assert f"{live}/notes.txt is no directory" in run.stderr
    assert "1 published, 0 unchanged, 3 not as wanted" in run.stderr
    assert published_names(vault) == [NAMES[2]]


def test_certbots_duplicate_is_named_and_left_until_somebody_means_it(vault, server, live, lineages):
    duplicate = f"{NAMES[0]}-0001"
    leaf = lineages(duplicate)[duplicate]
    run = server.publish("--all", live)
    assert run.exit == 2 and "0 published, 0 unchanged, 1 not as wanted" in run.stderr
    assert f"{duplicate}: expected what is published as {NAMES[0]}, found another certificate" in run.stderr
    assert hook(server, lineage=live / duplicate).exit == 2
    assert server.publish(live / duplicate).exit == 2
    run = hook(server, "--name", NAMES[0], lineage=live / duplicate)
    assert run.exit == 0 and published(vault, NAMES[0])["data"] == leaf.fields()
    assert server.publish("--all", live).exit == 0
    assert published_names(vault) == [NAMES[0]]


def test_a_lineage_that_is_older_than_what_is_published_is_left(vault, server, live, lineages):
    lineages(NAMES[0], starts=-30)
    newer = vault.publish(NAMES[0])
    run = server.publish("--all", live)
    assert run.exit == 2 and "no older than the published one" in run.stderr
    assert published(vault, NAMES[0])["data"] == newer.fields()


def test_no_lineage_is_fine_and_no_directory_is_exit_1(server, live):
    run = server.publish("--all", live)
    assert run.exit == 0 and f"there is no lineage below {live}" in run.stderr
    run = server.publish("--all", live / "nothing")
    assert run.exit == 1 and f"open {live}/nothing" in run.stderr


def test_all_in_a_dry_run_says_what_it_would_do(vault, server, live, lineages):
    lineages(*NAMES[:2])
    run = server.publish("--all", live, "--dry-run")
    assert run.exit == 0 and "2 to be published, 0 unchanged" in run.stderr
    assert f"{NAMES[0]}: would publish serial" in run.stderr
    with pytest.raises(Exception):
        published_names(vault)


def test_what_a_sealed_vault_did_not_take_is_published_later(own_vault, server, live, lineages):
    lineages(*NAMES)
    server.asks(deadline="1s")
    token = own_vault.publisher_token()
    own_vault.seal()
    run = server.publish("--all", live, token=token)
    assert run.exit == 3, run.output
    assert run.stderr.count("3 of 3 certificates were not compared") == 1 and "sealed" in run.stderr
    own_vault.unseal()
    run = server.publish("--all", live, token=token)
    assert run.exit == 0 and "3 published" in run.stderr, run.output


def test_a_denied_path_leaves_the_others(vault, server, live, lineages):
    lineages(*NAMES)
    rules = {f"{vault.kv_mount}/{kind}/certs/{name}": ["create", "update", "read"]
             for kind in ("data", "metadata") for name in NAMES[:2]}
    vault.policy("\n".join(f'path "{path}" {{ capabilities = {what} }}'.replace("'", '"') for path, what in rules.items()))
    run = server.publish("--all", live, token=vault.token())
    assert run.exit == 2 and "2 published, 0 unchanged, 1 not as wanted" in run.stderr, run.output
    assert f"{NAMES[2]}: " in run.stderr and "permission denied" in run.stderr


def test_many_lineages_take_one_connection(vault, server, live, ca):
    leaf = ca.leaf(["*.example.test"])
    for number in range(120):
        leaf.write(live / f"n{number:03}.example.test")
    token = vault.publisher_token(counted=True)
    assert server.publish("--all", live, token=token).exit == 0
    vault.mark()
    run = server.publish("--all", live, token=token)
    assert run.exit == 0 and "120 certificates" in run.stderr
    assert vault.requests() == 120 and vault.keys_sent() == 0
    ports = {entry["request"].get("remote_port") for entry in vault._entries("request", "last")}
    assert len(ports) == 1


def test_the_run_leaves_metrics_also_when_it_failed(vault, server, live, lineages, directory, dead_address):
    lineages(*NAMES[:2])
    file = directory / "publish.prom"
    assert server.publish("--all", live, "--metrics", file).exit == 0
    assert 'certlet_publish_certificates{result="published"} 2\n' in file.read_text()
    assert "certlet_publish_last_run_exit_code 0\n" in file.read_text()
    server.asks(address=dead_address, deadline="1s")
    assert server.publish("--all", live, "--metrics", file).exit == 3
    assert "certlet_publish_last_run_exit_code 3\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    run = server.publish("--all", live, "--metrics", directory / "nothing" / "publish.prom")
    assert "metrics file" in run.stderr


def test_a_second_publisher_waits_for_the_first(vault, server, live, lineages):
    """The lock is a plain flock(2), held here by flock(1) until the publisher was seen to wait."""
    lineages(NAMES[0])
    server.publish("--all", live)
    lock = server.run_directory / "publish.lock"
    held = subprocess.Popen(["flock", lock, "sleep", "60"], preexec_fn=process.die_with_parent, process_group=0)
    try:
        process.wait_until(lambda: subprocess.run(["flock", "-n", lock, "true"]).returncode == 1, what="the lock to be held")
        waiting = subprocess.Popen(
            [process.publish_program(), "--config", server.etc / "publish.ini", "--all", live],
            env=server.environment, stderr=subprocess.PIPE, text=True, preexec_fn=process.die_with_parent)
        process.wait_until(lambda: sleeps(waiting.pid), what="the publisher to wait")
        assert waiting.poll() is None
    finally:
        os.killpg(held.pid, signal.SIGKILL)
        held.wait()
    assert waiting.wait(10) == 0
    assert "up to date in Vault" in waiting.stderr.read()


@pytest.mark.root
def test_an_ordinary_user_needs_no_run_directory(vault, server, live, lineages):
    lineages(NAMES[0])
    for path in (live, *live.glob("*/*")):
        path.chmod(0o755)
    (server.etc / "publish.ini").write_text(
        f"[vault]\naddress = {vault.address}\nca_file = {vault.ca_file}\nkv_mount = {vault.kv_mount}\n[end]\n")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    run = server.execute([*nobody, process.publish_program(), "--config", server.etc / "publish.ini", "--all", live],
                         {"BAO_TOKEN": vault.publisher_token()})
    assert run.exit == 0 and "1 published" in run.stderr, run.output


def sleeps(pid):
    """Whether a process waits in nanosleep(2), as the lock does between two tries."""
    with open(f"/proc/{pid}/wchan") as file:
        return "nanosleep" in file.read()


# PKCS#12

def write_pkcs12(path, leaf, password=b"two words"):
    encryption = serialization.BestAvailableEncryption(password)
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"www", leaf.private_key, leaf.certificate, leaf.links, encryption))
    path.chmod(0o600)
    word = path.with_suffix(".password")
    word.touch(mode=0o600)
    word.write_bytes(password + b"\n")
    return ["--name", NAMES[0], "--pkcs12", path, "--password-file", word]


def test_a_pkcs12_file_is_published_as_the_same_four_fields(vault, server, ca, directory):
    leaf = ca.leaf([NAMES[0]])
    run = server.publish(*write_pkcs12(directory / "www.p12", leaf))
    assert run.exit == 0, run.output
    assert published(vault, NAMES[0])["data"] == leaf.fields()
    assert "two words" not in run.output


def test_a_pkcs12_file_of_windows_is_read_too(vault, server, ca, directory):
    """RC2 for the certificates and 3DES for the key, as Windows exports."""
    leaf = ca.leaf([NAMES[0]])
    given = write_pkcs12(directory / "www.p12", leaf)
    leaf.write(directory / "pem")
    made = subprocess.run(["openssl", "pkcs12", "-export", "-legacy", "-in", directory / "pem/fullchain.pem",
                           "-inkey", directory / "pem/privkey.pem", "-out", directory / "www.p12",
                           "-passout", f"file:{directory}/www.password"], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"OpenSSL has no legacy provider here: {made.stderr}")
    run = server.publish(*given)
    assert run.exit == 0, run.output
    assert published(vault, NAMES[0])["data"] == leaf.fields()


def test_a_wrong_password_is_refused_and_an_open_password_file_is_exit_1(vault, server, ca, directory):
    given = write_pkcs12(directory / "www.p12", ca.leaf([NAMES[0]]))
    (directory / "www.password").write_text("wrong\n")
    run = server.publish(*given)
    assert run.exit == 2 and "expected the password of this PKCS#12 file" in run.stderr
    run = server.publish(*given[:4])
    assert run.exit == 2 and "see --password-file" in run.stderr
    (directory / "www.password").chmod(0o644)
    run = server.publish(*given)
    assert run.exit == 1 and "must not be readable by group or others" in run.stderr
