"""Talking to Vault: logging in, finding out what is new without moving a key, the two KV versions."""

import json
import os

import pytest

WWW = "www.example.test"


def names(count):
    return [f"host{number:03}.example.test" for number in range(count)]


# The three ways to log in


def test_a_first_run_logs_in_and_reads_each_certificate_once_without_metadata(vault, server):
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == 1
    assert vault.requests(kind="data") == 3 and vault.keys_sent() == 3
    assert vault.requests(kind="metadata") == vault.requests(kind="list") == 0
    assert all(server.installed(name).matches for name in names(3))


def test_an_idle_run_with_a_kept_token_asks_for_metadata_alone_and_moves_no_key(vault, server):
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    vault.allow_list(False)
    assert server.sync().exit == 0
    assert server.sync().exit == 0
    assert vault.requests() == vault.requests(kind="metadata") == 3
    assert vault.keys_sent() == 0


def test_a_batch_token_is_kept_for_the_next_run_where_only_root_can_read_it(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    token = server.run_directory / "token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == 0 and vault.requests(kind="revoke") == 0


def test_a_token_of_another_identity_is_not_used(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    server.credentials(secret_id=vault.new_secret_id())
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == 1


def test_a_kept_token_that_is_refused_is_replaced_by_one_login(vault, server):
    vault.publish(WWW)
    vault.publish("api.example.test")
    server.wants(WWW)
    server.wants("api.example.test")
    assert server.sync().exit == 0
    token = server.run_directory / "token"
    good = token.read_text()
    token.write_text(good[:-20] + "\n")
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == 1
    assert token.read_text() not in (good, good[:-20] + "\n")


def test_a_token_that_can_be_neither_kept_nor_forgotten_is_told_and_harms_nothing(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    obstacle = server.run_directory / ".token.certlet"
    assert server.sync().exit == 0
    token = server.run_directory / "token"
    token.write_text(token.read_text()[:-20] + "\n")
    obstacle.mkdir()
    for _ in range(2):
        run = server.sync()
        assert run.exit == 0 and vault.requests(kind="login") == 1
        assert "the refused token is not forgotten: " in run.stderr and "the token is not kept for the next run: " in run.stderr
    obstacle.rmdir()
    assert server.sync().exit == 0 and server.sync().exit == 0
    assert vault.requests(kind="login") == 0


def test_a_kept_token_is_not_doubted_for_one_certificate_that_the_policy_refuses(vault, server):
    vault.publish(WWW)
    vault.publish("api.example.test")
    server.wants(WWW)
    server.wants("api.example.test")
    assert server.sync().exit == 0
    vault.deny("api.example.test")
    assert server.sync().exit == 2
    assert vault.requests(kind="login") == 0


def test_a_service_token_is_revoked_at_the_end_and_not_kept(vault, server):
    vault.token_type("service")
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == vault.requests(kind="revoke") == 1
    assert not (server.run_directory / "token").exists()


def test_a_client_certificate_logs_in(vault, server):
    leaf = vault.client_certificate()
    home = leaf.write(server.directory / "host")
    os.chmod(home / "privkey.pem", 0o640)
    vault.publish(WWW)
    server.asks(auth="cert", auth_mount=vault.cert_mount, cert_role="hosts", client_cert_file=home / "cert.pem",
                client_key_file=home / "privkey.pem", role_id_file=None, secret_id_file=None)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert server.installed(WWW).matches
    assert server.sync().exit == 0 and vault.requests(kind="login") == 0


def test_a_token_file_needs_no_login(vault, server):
    token = server.etc / "token"
    token.touch(mode=0o600)
    token.write_text(vault.token() + "\n")
    vault.publish(WWW)
    server.asks(auth="token", auth_mount=None, token_file=token, role_id_file=None, secret_id_file=None)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert vault.requests(kind="login") == vault.requests(kind="revoke") == 0
    assert not (server.run_directory / "token").exists()


def test_namespaces_are_sent_along(vault, server):
    inner = vault.in_namespace("team")
    server.uses(inner)
    inner.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert server.installed(WWW).matches


# Finding out what is new


def test_a_new_version_alone_is_read(vault, server):
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    leaf = vault.publish(names(3)[1])
    assert server.sync().exit == 0
    assert vault.requests(kind="data") == vault.keys_sent() == 1
    assert server.installed(names(3)[1]).fingerprint == leaf.fingerprint
    assert server.certificate_status(names(3)[1])["version"] == 2


def test_a_path_that_was_removed_and_made_again_counts_from_one_and_is_taken(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    vault.forget(WWW)
    leaf = vault.publish(WWW)
    assert leaf.version == 1
    assert server.sync().exit == 0
    assert server.installed(WWW).fingerprint == leaf.fingerprint


def test_a_listing_takes_one_request_for_two_hundred_certificates(vault, server):
    vault.allow_list()
    for name in names(5):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert server.sync().exit == 0
    assert vault.requests() == vault.requests(kind="list") == 1


def test_a_listing_goes_on_page_after_page_and_finds_what_changed(vault, server):
    vault.allow_list()
    leaf = vault.publish("host000.example.test", names=["*.example.test"])
    for name in names(405):
        vault.put(name, leaf.fields())
        server.wants(name)
    assert server.sync().exit == 0
    newer = vault.publish("host404.example.test", names=["*.example.test"])
    assert server.sync().exit == 0
    assert vault.requests(kind="list") == 3
    assert vault.requests(kind="data") == 1 and vault.requests(kind="metadata") == 0
    assert server.installed("host404.example.test").fingerprint == newer.fingerprint


def test_a_listing_that_the_policy_refuses_is_remembered(vault, server):
    for name in names(2):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert server.sync().exit == 0
    assert vault.requests(kind="list") == 1 and vault.requests(kind="metadata") == 2
    assert server.sync().exit == 0
    assert vault.requests(kind="list") == 0 and vault.requests(kind="metadata") == 2


def test_a_listing_lost_in_a_large_directory_is_given_up(vault, server):
    vault.allow_list()
    for number in range(700):
        vault.put(f"m{number:04}", {"x": "y"})
    for name in ("a.example.test", "z.example.test"):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert server.sync().exit == 0
    assert vault.requests(kind="list") == 3 and vault.requests(kind="metadata") == 1
    assert server.sync().exit == 0
    assert vault.requests(kind="list") == 0 and vault.requests(kind="metadata") == 2


def test_a_certificate_missing_from_a_listing_is_absent_only_by_its_own_word(vault, server):
    vault.allow_list()
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    vault.forget(names(3)[2])
    run = server.sync()
    assert run.exit == 2 and "there is no such secret" in run.stderr
    assert vault.requests(kind="metadata") == 1
    assert server.installed(names(3)[2]).matches


def test_a_policy_without_metadata_has_the_data_read_and_remembers_it(vault, server):
    vault.allow_metadata(False)
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    before = server.installed(WWW).inodes
    assert server.sync().exit == 0
    assert vault.requests(kind="metadata") == vault.requests(kind="data") == 1
    assert server.sync().exit == 0
    assert vault.requests(kind="metadata") == 0 and vault.requests(kind="data") == 1
    assert server.installed(WWW).inodes == before
    leaf = vault.publish(WWW)
    assert server.sync().exit == 0
    assert server.installed(WWW).fingerprint == leaf.fingerprint


def test_nothing_to_ask_means_no_request_at_all(vault, server):
    server.wants(WWW)
    vault.publish(WWW)
    assert server.sync().exit == 0
    assert server.run("--purge").exit == 0
    assert vault.requests(kind="login") == 0


# 403 and the three shapes of 404


def test_a_refused_certificate_does_not_hold_up_the_others(vault, server):
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    vault.deny(names(3)[0])
    run = server.sync()
    assert run.exit == 2
    assert "status 403" in run.stderr and names(3)[0] in run.stderr
    assert server.installed(names(3)[1]).matches and server.installed(names(3)[2]).matches
    assert server.certificate_status(names(3)[0])["problem"] == "failed"


def test_a_policy_that_refuses_everything_is_no_matter_of_the_login(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    vault.deny(WWW)
    assert server.sync().exit == 2
    assert server.sync().exit == 2


def test_a_deleted_secret_says_which_version_and_when(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    vault.delete(WWW)
    run = server.sync()
    assert run.exit == 2 and "deleted in version 1 on 20" in run.stderr
    assert server.installed(WWW).matches


def test_a_deleted_secret_is_told_at_the_first_install_too(vault, server):
    vault.publish(WWW)
    vault.delete(WWW)
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "deleted in version 1 on 20" in run.stderr


def test_a_destroyed_version_says_so(vault, server):
    vault.publish(WWW)
    vault.destroy(WWW, 1)
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "version 1 is destroyed" in run.stderr


def test_a_secret_that_never_was_and_a_mount_that_is_not_there_differ(vault, server):
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "there is no such secret" in run.stderr
    server.wants(WWW, kv_mount="nowhere", kv_version="2")
    run = server.sync()
    assert run.exit == 2 and "there is no such secret" not in run.stderr


def test_an_announced_deletion_is_none_yet(vault, server):
    vault.api("POST", f"{vault.kv_mount}/metadata/certs/{WWW}", {"delete_version_after": "24h"})
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert server.sync().exit == 0


# KV version 1, and telling the two apart


def test_a_kv_v1_mount_is_found_out_and_its_content_compared(vault, server):
    vault.publish(WWW, v1=True)
    server.asks(kv_mount=vault.kv1_mount)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert vault.requests(kind="preflight") == 1
    before = server.installed(WWW).inodes
    assert server.sync().exit == 0
    assert vault.requests() == vault.requests(kind="data") == 1
    assert server.installed(WWW).inodes == before
    leaf = vault.publish(WWW, v1=True)
    assert server.sync().exit == 0
    assert server.installed(WWW).fingerprint == leaf.fingerprint


def test_a_mount_is_asked_for_its_version_once_a_day(vault, server):
    for name in names(3):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert vault.requests(kind="preflight") == 1
    assert server.sync().exit == 0
    assert vault.requests(kind="preflight") == 0


def test_a_version_in_the_manifest_spares_the_question(vault, server):
    vault.publish(WWW)
    server.asks(kv_version="2")
    server.wants(WWW)
    assert server.sync().exit == 0
    assert vault.requests(kind="preflight") == 0


def test_a_versioned_mount_said_to_be_version_1_is_told_of(vault, server):
    vault.policy(f'path "{vault.kv_mount}/*" {{ capabilities = ["read"] }}')
    vault.publish(WWW)
    server.asks(kv_version="1")
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "KV version 2" in run.stderr


# Layouts


@pytest.mark.parametrize("layout", [
    {"certificate": "cert", "private_key": "key", "ca_chain": ["chain"]},
    {"tls.crt": "fullchain", "tls.key": "key"},
    {"crt": "cert", "key": "key", "bundle": "chain"},
    {"fullchain": "fullchain", "privkey": "key"},
    {"certificate": "cert", "private_key": "key", "issuing_ca": "chain"},
])
def test_known_layouts_are_read(vault, server, ca, layout):
    leaf = ca.leaf([WWW])
    vault.put(WWW, {field: [getattr(leaf, one) for one in part] if isinstance(part, list) else getattr(leaf, part)
                    for field, part in layout.items()})
    server.wants(WWW)
    assert server.sync().exit == 0
    installed = server.installed(WWW)
    assert installed.matches and installed.chain == leaf.chain


def test_other_fields_are_read_when_told(vault, server, ca):
    leaf = ca.leaf([WWW])
    vault.put(WWW, {"x": leaf.fullchain, "y": leaf.key})
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "expected a field cert, crt" in run.stderr and "found: x, y" in run.stderr
    server.wants(WWW, fields="fullchain:x key:y")
    assert server.sync().exit == 0
    assert server.installed(WWW).matches


def test_a_refusal_names_fields_and_never_their_values(vault, server, ca):
    leaf = ca.leaf([WWW])
    vault.put(WWW, {"cert": leaf.cert, "hidden": "VERY-SECRET-VALUE"})
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 2 and "hidden" in run.stderr and "VERY-SECRET-VALUE" not in run.output
    assert server.holds("VERY-SECRET-VALUE") == []


# What is damaged


def damage(server, name=WWW):
    path = server.installed(name).directory / "privkey.pem"
    path.write_text("damaged\n")


def test_damaged_content_is_read_again_at_its_version(vault, server):
    leaf = vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    damage(server)
    assert server.sync().exit == 0
    assert server.installed(WWW).matches and server.installed(WWW).fingerprint == leaf.fingerprint


def test_damaged_content_comes_back_at_its_version_when_the_newest_is_refused(vault, server):
    leaf = vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    vault.put(WWW, {"cert": "no certificate", "privkey": "no key"})
    damage(server)
    server.sync()
    assert server.installed(WWW).matches and server.installed(WWW).fingerprint == leaf.fingerprint
    damage(server)
    server.sync()
    assert server.installed(WWW).matches and server.certificate_status(WWW)["version"] == 1


def test_a_newest_that_is_refused_stays_refused_while_damage_is_cured(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    vault.put(WWW, {"cert": "no certificate", "privkey": "no key"})
    assert server.sync().exit == 2
    damage(server)
    run = server.sync()
    assert run.exit == 2 and "still refused" in run.stderr
    assert server.installed(WWW).matches and server.certificate_status(WWW)["problem"] == "refused"
    assert vault.keys_sent() == 1, "only that of the installed version"


# The fetch process


@pytest.mark.root
def test_the_fetch_process_has_no_rights_and_no_environment(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    keys = directory / "keys.log"
    trace = directory / "trace"
    run = server.sync(env={"SSLKEYLOGFILE": str(keys), "https_proxy": "http://127.0.0.1:1",
                           "ASAN_OPTIONS": "detect_leaks=0"},  # no leak checker works under strace
                      under=["strace", "-f", "-qq", "-o", trace, "-e",
                             "trace=setresuid,setsid,connect,execve,openat"])
    assert run.exit == 0 and not keys.exists()
    lines = [line.split(None, 1) for line in trace.read_text().splitlines()]
    child = next(pid for pid, call in lines if call.startswith("connect") and "AF_INET" in call)
    calls = [call for pid, call in lines if pid == child]
    dropped = next(at for at, call in enumerate(calls) if call.startswith("setresuid(65534, 65534, 65534)"))
    assert any(call.startswith("setsid") for call in calls[:dropped])
    assert not any(str(server.etc) in call or str(server.run_directory) in call for call in calls[dropped:])
    assert not any(call.startswith("execve") for call in calls)


def test_secrets_are_in_no_output_and_in_no_file_but_their_own(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    output = server.sync("--verbose").output + server.sync("--verbose").output
    assert vault.secret_id not in output and vault.role_id not in output
    token = (server.run_directory / "token").read_text().split()[-1]
    assert token not in output
    assert server.holds(vault.secret_id) == ["etc/secret-id"]
    assert server.holds(token) == ["run/token"]
    assert vault.secret_id not in json.dumps(server.status())
