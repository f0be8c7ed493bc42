"""certlet-publish: one certificate into KV v2, judged as certlet will judge it, with check-and-set."""

import json
import os
import threading

import pytest

from support import ca as ca_module
from support import process

NAME = "www.example.test"


def arguments(leaf, directory, name=NAME, chain=True):
    """--name, --cert, --key and --chain of a leaf that was written into the directory."""
    leaf.write(directory)
    given = ["--name", name, "--cert", directory / "cert.pem", "--key", directory / "privkey.pem"]
    return given + (["--chain", directory / "chain.pem"] if chain else [])


def published(vault, name=NAME):
    return vault.api("GET", f"{vault.kv_mount}/data/certs/{name}")["data"]


def environment(vault, prefix="VAULT_", **changes):
    told = {"ADDR": vault.address, "CACERT": vault.ca_file, "TOKEN": vault.publisher_token(), **changes}
    return {prefix + key: value for key, value in told.items() if value is not None}


def publish_without_configuration(server, *given, env):
    return server.execute([process.publish_program(), *given], env)


def test_a_new_certificate_becomes_version_1_with_its_notes(vault, server, ca, directory):
    leaf = ca.leaf([NAME, "*.example.test"])
    run = server.publish(*arguments(leaf, directory / "new"))
    assert run.exit == 0, run.output
    assert f"{NAME}: published version 1: serial {leaf.serial}" in run.stderr and run.stdout == ""
    secret = published(vault)
    assert secret["data"] == leaf.fields()
    assert secret["metadata"]["custom_metadata"] == leaf.custom_metadata(version=1)


def test_the_same_certificate_again_is_unchanged(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    assert server.publish(*given).exit == 0
    run = server.publish(*given)
    assert run.exit == 0 and f"{NAME}: unchanged, version 1" in run.stderr
    assert published(vault)["metadata"]["version"] == 1
    assert server.publish(*given, "--force").exit == 0
    assert published(vault)["metadata"]["version"] == 2


def test_a_renewed_certificate_is_the_next_version(vault, server, ca, directory):
    assert server.publish(*arguments(ca.leaf([NAME], starts=-60), directory / "one")).exit == 0
    leaf = ca.leaf([NAME])
    run = server.publish(*arguments(leaf, directory / "two"))
    assert run.exit == 0 and "published version 2" in run.stderr
    assert published(vault)["data"]["cert"] == leaf.cert


def test_a_chain_that_was_forgotten_can_be_added(vault, server, ca, directory):
    leaf = ca.leaf([NAME])
    assert server.publish(*arguments(leaf, directory / "new", chain=False)).exit == 0
    assert published(vault)["data"]["chain"] == ""
    assert server.publish(*arguments(leaf, directory / "new")).exit == 0
    assert published(vault)["data"]["fullchain"] == leaf.fullchain


def test_what_certlet_publish_writes_certlet_installs(vault, server, ca, directory):
    leaf = ca.leaf([NAME], intermediates=2)
    assert server.publish(*arguments(leaf, directory / "new")).exit == 0
    server.wants(NAME)
    run = server.sync()
    assert run.exit == 0, run.output
    installed = server.installed(NAME)
    assert installed.fingerprint == leaf.fingerprint and installed.fullchain == leaf.fullchain


def test_a_directory_of_certbots_is_published_under_its_name(vault, server, ca, directory):
    leaf = ca.leaf([NAME])
    leaf.write(directory / "live" / NAME)
    assert server.publish(f"{directory}/live/{NAME}/").exit == 0
    assert published(vault)["data"] == leaf.fields()
    assert server.publish("--name", "other_name", directory / "live" / NAME).exit == 0
    assert published(vault, "other_name")["data"] == leaf.fields()


def test_a_directory_without_a_chain_is_fine(vault, server, ca, directory):
    leaf = ca.leaf([NAME], intermediates=0)
    leaf.write(directory / NAME)
    (directory / NAME / "chain.pem").unlink()
    assert server.publish(directory / NAME).exit == 0
    assert published(vault)["data"]["fullchain"] == leaf.cert


def test_what_is_written_is_normalised(vault, server, ca, directory):
    leaf = ca.leaf([NAME], key="rsa-2048", intermediates=2)
    given = arguments(leaf, directory / "new", chain=False)
    (directory / "new" / "cert.pem").write_text(
        "Bag Attributes\n" + "".join(ca_module.pem(link) for link in reversed(leaf.links)) + ca.root_pem
        + leaf.cert.replace("\n", "\r\n"))
    (directory / "new" / "privkey.pem").write_text(ca_module.traditional_pem(leaf.private_key))
    assert server.publish(*given).exit == 0
    assert published(vault)["data"] == leaf.fields()


@pytest.mark.parametrize("options, words", [
    ({"names": ["other.example.test"]}, "expected a certificate for www.example.test, found names other.example.test"),
    ({"starts": -90, "days": 89}, "that expired at"),
    ({"starts": 1}, "that begins at"),
    ({"is_ca": True}, "found a CA"),
    ({"usage": "code"}, "found one for codeSigning"),
    ({"key": "rsa-1024"}, "expected an RSA key of 2048 bits or more, found 1024"),
])
def test_what_certlet_would_refuse_is_not_published(vault, server, ca, directory, options, words):
    leaf = ca.leaf(**({"names": [NAME]} | options))
    run = server.publish(*arguments(leaf, directory / "bad"), "--force")
    assert run.exit == 2 and words in run.stderr, run.output
    with pytest.raises(Exception):
        published(vault)


def test_a_key_of_another_certificate_is_refused(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "bad")
    (directory / "bad" / "privkey.pem").write_text(ca.leaf([NAME]).key)
    run = server.publish(*given)
    assert run.exit == 2 and "expected a certificate that the key fits" in run.stderr


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password(vault, server, ca, directory):
    leaf = ca.leaf([NAME])
    given = arguments(leaf, directory / "bad")
    (directory / "bad" / "privkey.pem").write_text(ca_module.key_pem(leaf.private_key, "word"))
    run = server.publish(*given)
    assert run.exit == 2 and "found that the key is encrypted" in run.stderr


def test_a_certificate_that_ends_soon_does_not_replace_one_that_lasts(vault, server, ca, directory):
    assert server.publish(*arguments(ca.leaf([NAME]), directory / "one")).exit == 0
    given = arguments(ca.leaf([NAME], starts=-86, days=90), directory / "two")
    run = server.publish(*given)
    assert run.exit == 2 and "expected a certificate that lasts" in run.stderr, run.output
    run = server.publish(*given, "--force")
    assert run.exit == 0 and "taken by force" in run.stderr and "published version 2" in run.stderr


def test_an_older_certificate_is_published_by_force_only(vault, server, ca, directory):
    assert server.publish(*arguments(ca.leaf([NAME]), directory / "one")).exit == 0
    given = arguments(ca.leaf([NAME], starts=-30), directory / "two")
    run = server.publish(*given)
    assert run.exit == 2 and "expected a certificate that is no older than the published one" in run.stderr
    assert "(--force takes it)" in run.stderr
    run = server.publish(*given, "--force")
    assert run.exit == 0 and "taken by force" in run.stderr and "published version 2" in run.stderr
    assert "(--force takes it)" not in run.stderr


def test_a_name_that_is_no_host_name_is_judged_without_names(vault, server, ca, directory):
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new", name="mail_cluster"))
    assert run.exit == 0 and "mail_cluster is no host name" in run.stderr
    assert published(vault, "mail_cluster")


def test_a_wildcard_is_published_under_its_underscored_name(vault, server, ca, directory):
    given = arguments(ca.leaf(["*.example.test"]), directory / "new", name="_wildcard.example.test")
    assert server.publish(*given).exit == 0
    run = server.publish(*arguments(ca.leaf(["a.example.test"]), directory / "bad", name="_wildcard.example.test"))
    assert run.exit == 2 and "expected a certificate for *.example.test" in run.stderr


def test_a_dry_run_writes_nothing(vault, server, ca, directory):
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"), "--dry-run")
    assert run.exit == 0 and f"{NAME}: would publish serial" in run.stderr
    with pytest.raises(Exception):
        published(vault)


def test_quiet_says_nothing_and_verbose_names_the_requests(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    assert server.publish(*given, "--quiet").output == ""
    run = server.publish(*given, "--verbose", "--force")
    assert f"POST {vault.kv_mount}/data/certs/{NAME}" in run.stderr


def test_many_names_are_noted_as_far_as_they_fit(vault, server, ca, directory):
    names = [NAME] + [f"name-{number:03}.example.test" for number in range(99)]
    assert server.publish(*arguments(ca.leaf(names), directory / "new")).exit == 0
    noted = published(vault)["metadata"]["custom_metadata"]["names"]
    shown = noted.split(" ")
    assert len(noted) <= 512 and shown[:-1] == names[:len(shown) - 1]
    assert shown[-1] == f"+{100 - len(shown) + 1}"


def test_notes_of_other_people_are_kept(vault, server, ca, directory):
    assert server.publish(*arguments(ca.leaf([NAME], starts=-2), directory / "one")).exit == 0
    vault.api("POST", f"{vault.kv_mount}/metadata/certs/{NAME}", {"custom_metadata": {"contact": "web team"}})
    leaf = ca.leaf([NAME])
    assert server.publish(*arguments(leaf, directory / "two")).exit == 0
    assert published(vault)["metadata"]["custom_metadata"] == {"contact": "web team"} | leaf.custom_metadata(version=2)


def test_notes_that_a_killed_run_left_out_are_made_up_for(vault, server, ca, directory):
    leaf = ca.leaf([NAME])
    vault.put(NAME, leaf.fields())
    run = server.publish(*arguments(leaf, directory / "new"))
    assert run.exit == 0 and "unchanged, version 1" in run.stderr
    assert published(vault)["metadata"]["custom_metadata"] == leaf.custom_metadata(version=1)


def test_a_deleted_version_counts_for_the_check_and_set(vault, server, ca, directory):
    vault.publish(NAME)
    vault.delete(NAME)
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"))
    assert run.exit == 0 and "published version 2" in run.stderr, run.output
    vault.destroy(NAME, 2)
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"))
    assert run.exit == 0 and "published version 3" in run.stderr, run.output


def test_a_secret_of_another_layout_is_replaced_with_a_warning(vault, server, ca, directory):
    vault.put(NAME, {"tls.crt": "x"})
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"))
    assert run.exit == 0 and "version 1 is not as certlet-publish writes it" in run.stderr
    assert "published version 2" in run.stderr


def test_a_publisher_that_always_comes_second_gives_up_after_three_tries(standin, server, ca, directory):
    standin.reply("sys/internal/ui/mounts/secret", 200, {"data": {"options": {"version": "2"}}})
    standin.reply(f"secret/data/certs/{NAME}", 400, {"errors": ["check-and-set parameter did not match the current version"]})
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"), token="s.token")
    assert run.exit == 2 and "another one was published meanwhile, 3 times: run again" in run.stderr, run.output
    assert standin.count("/data/") == 3


def test_what_another_publisher_wrote_in_between_is_judged_again(vault, standin, server, ca, directory):
    standin.forwards_to(vault)
    newer = ca.leaf([NAME])
    standin.reply(f"{vault.kv_mount}/data/certs/{NAME}", says=lambda connection: (
        vault.publish(NAME, leaf=newer), connection.close()), times=1)
    standin.reply(f"{vault.kv_mount}/data/certs/{NAME}", forward=True)
    server.asks(address=standin.address, ca_file=standin.ca_file)
    run = server.publish(*arguments(ca.leaf([NAME], starts=-9), directory / "old"))
    assert run.exit == 2 and "expected a certificate that is no older" in run.stderr, run.output
    assert published(vault)["metadata"]["version"] == 1


def test_a_version_whose_answer_was_lost_is_not_written_twice(vault, standin, server, ca, directory):
    standin.forwards_to(vault)
    leaf = ca.leaf([NAME])
    standin.reply(f"{vault.kv_mount}/data/certs/{NAME}", says=lambda connection: (
        vault.put(NAME, leaf.fields()), connection.close()), times=1)
    standin.reply(f"{vault.kv_mount}/data/certs/{NAME}", forward=True)
    server.asks(address=standin.address, ca_file=standin.ca_file)
    run = server.publish(*arguments(leaf, directory / "new"))
    assert run.exit == 0 and "unchanged, version 1" in run.stderr, run.output
    assert published(vault)["metadata"]["custom_metadata"] == leaf.custom_metadata(version=1)


def test_two_publishers_never_lose_a_version(vault, server, ca, directory):
    runs = []
    given = [arguments(ca.leaf([NAME], starts=number - 5), directory / str(number)) for number in range(1, 5)]
    server.publish(*given[0])  # writes the configuration before the threads read it
    threads = [threading.Thread(target=lambda one=one: runs.append(server.execute(
        [process.publish_program(), "--config", server.etc / "publish.ini", *one]))) for one in given[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {run.exit for run in runs} <= {0, 2}
    done = 1 + sum("published version" in run.stderr for run in runs)
    assert published(vault)["metadata"]["version"] == done


def test_a_kv_mount_of_version_1_is_refused_and_gets_no_key(vault, server, ca, directory):
    vault.publish("other", v1=True)
    vault.api("PUT", f"sys/policies/acl/v1-{vault.role}",
              {"policy": f'path "{vault.kv1_mount}/*" {{ capabilities = ["create", "update", "read"] }}'})
    token = vault.token(policies=[f"v1-{vault.role}"])
    server.asks(kv_mount=vault.kv1_mount)
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"), token=token)
    assert run.exit == 1 and "to be a KV mount of version 2, found version 1" in run.stderr, run.output
    assert vault.api("GET", f"{vault.kv1_mount}?list=true")["data"]["keys"] == ["certs/"]


def test_a_token_without_the_right_is_exit_2(vault, server, ca, directory):
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"), token=vault.token())
    assert run.exit == 2 and "permission denied" in run.stderr, run.output


def test_a_publisher_that_may_not_write_notes_says_so(vault, server, ca, directory):
    vault.api("PUT", f"sys/policies/acl/data-{vault.role}", {
        "policy": f'path "{vault.kv_mount}/data/certs/*" {{ capabilities = ["create", "update", "read"] }}'})
    token = vault.token(policies=[f"data-{vault.role}"])
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"), token=token)
    assert run.exit == 2 and "the certificate is published, its custom_metadata is not" in run.stderr, run.output
    assert published(vault)["metadata"]["version"] == 1


def test_notes_that_vault_does_not_take_are_exit_2(vault, server, ca, directory):
    notes = {f"note{number}": "somebody's" for number in range(60)}  # 64 are the most
    vault.api("POST", f"{vault.kv_mount}/metadata/certs/{NAME}", {"custom_metadata": notes})
    given = arguments(ca.leaf([NAME]), directory / "new")
    for _ in ("published", "and the notes tried again"):
        run = server.publish(*given)
        assert run.exit == 2 and "its custom_metadata is not: " in run.stderr, run.output
    assert published(vault)["metadata"]["custom_metadata"] == notes


def test_no_vault_is_exit_3(vault, server, ca, directory, dead_address):
    server.asks(address=dead_address, deadline="1s")
    run = server.publish(*arguments(ca.leaf([NAME]), directory / "new"))
    assert run.exit == 3, run.output


def publish_with_login(vault, server, ca, directory):
    """Runs certlet-publish with the host's own login of [vault], whose policy is now a publisher's."""
    vault.policy("\n".join(f'path "{vault.kv_mount}/{kind}/certs/*" {{ capabilities = ["create", "update", "read"] }}'
                           for kind in ("data", "metadata")))
    config = directory / "publish.ini"
    config.write_text("[vault]\n" + "".join(f"{key} = {value}\n" for key, value in server.vault_keys.items())
                      + f"[agent]\nrun_directory = {server.run_directory}\n[end]\n")
    vault.mark()
    return server.execute([process.publish_program(), "--config", config, *arguments(ca.leaf([NAME]), directory / "new")])


@pytest.mark.parametrize("kind, revoked", [("batch", 0), ("service", 1)])
def test_a_publisher_may_log_in_with_approle(vault, server, ca, directory, kind, revoked):
    vault.token_type(kind)
    run = publish_with_login(vault, server, ca, directory)
    assert run.exit == 0 and published(vault)["metadata"]["version"] == 1, run.output
    assert vault.requests("login") == 1 and vault.requests("revoke") == revoked


def test_a_publisher_may_log_in_with_a_client_certificate(vault, server, ca, directory):
    vault.client_certificate().write(directory / "client")
    server.asks(auth="cert", auth_mount=vault.cert_mount, cert_role="hosts", role_id_file=None, secret_id_file=None,
                client_cert_file=directory / "client/cert.pem", client_key_file=directory / "client/privkey.pem")
    run = publish_with_login(vault, server, ca, directory)
    assert run.exit == 0 and published(vault)["metadata"]["version"] == 1, run.output


def test_a_refused_login_is_exit_3(vault, server, ca, directory):
    vault.revoke_secret_id()
    run = publish_with_login(vault, server, ca, directory)
    assert run.exit == 3 and "invalid role or secret ID" in run.stderr, run.output


def test_a_wrapped_secret_id_that_nobody_opened_is_told_of(vault, server, ca, directory):
    """certlet opens it once and remembers that; a publisher remembers nothing."""
    (directory / "wrapped").write_text(vault.wrap())
    server.asks(secret_id_file=directory / "secret-id", wrapped_secret_id_file=directory / "wrapped")
    run = publish_with_login(vault, server, ca, directory)
    assert run.exit == 3 and vault.requests() == 0
    assert "wrapped_secret_id_file is for certlet, a publisher opens its own by hand (bao unwrap -field=secret_id): " \
           f"secret-id {directory}/secret-id is missing" in run.stderr


@pytest.mark.parametrize("prefix", ["VAULT_", "BAO_"])
def test_the_environment_stands_in_for_a_configuration(vault, server, ca, directory, prefix):
    given = ["--config", directory / "publish.ini", *arguments(ca.leaf([NAME]), directory / "new")]
    (directory / "publish.ini").write_text(
        f"[vault]\naddress = {vault.address}\nkv_mount = {vault.kv_mount}\n"
        f"[agent]\nrun_directory = {server.run_directory}\n[end]\n")
    run = publish_without_configuration(server, *given, env=environment(vault, prefix, ADDR=None))
    assert run.exit == 0, run.output


def test_bao_variables_go_before_vaults_even_when_they_are_empty(vault, server, ca, directory):
    given = ["--config", directory / "publish.ini", *arguments(ca.leaf([NAME]), directory / "new")]
    (directory / "publish.ini").write_text(
        f"[vault]\naddress = {vault.address}\nkv_mount = {vault.kv_mount}\n"
        f"[agent]\nrun_directory = {server.run_directory}\n[end]\n")
    right = environment(vault, ADDR=None)
    assert publish_without_configuration(server, *given, env=right | {"BAO_TOKEN": "s.wrong"}).exit == 2
    run = publish_without_configuration(server, *given, env=right | {"BAO_CACERT": ""})
    assert run.exit == 3, run.output
    assert publish_without_configuration(server, *given, env=right).exit == 0


def test_a_configured_login_goes_before_a_token_in_the_environment(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    assert server.publish(*given, env={"VAULT_TOKEN": "s.wrong", "BAO_ADDR": "https://192.0.2.1:8200"}).exit == 0


@pytest.mark.skipif(os.path.exists("/etc/certlet/publish.ini"), reason="this machine has a publish.ini")
def test_without_a_configuration_everything_comes_from_the_environment(own_vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    run = publish_without_configuration(server, *given, env=environment(own_vault))
    assert run.exit == 0 and published(own_vault)["metadata"]["version"] == 1, run.output
    run = publish_without_configuration(server, *given, env=environment(own_vault, TOKEN=None))
    assert run.exit == 1 and "VAULT_TOKEN" in run.stderr
    run = publish_without_configuration(server, *given, env=environment(own_vault, ADDR="http://192.0.2.1:8200"))
    assert run.exit == 1 and "BAO_ADDR or VAULT_ADDR: http://192.0.2.1:8200" in run.stderr


def test_a_namespace_is_honoured(vault, server, ca, directory):
    team = vault.in_namespace("team" + vault.id)
    given = ["--config", directory / "publish.ini", *arguments(ca.leaf([NAME]), directory / "new")]
    (directory / "publish.ini").write_text(
        f"[vault]\naddress = {vault.address}\nkv_mount = {team.kv_mount}\n"
        f"[agent]\nrun_directory = {server.run_directory}\n[end]\n")
    run = publish_without_configuration(server, *given, env=environment(team, ADDR=None, NAMESPACE=team.namespace))
    assert run.exit == 0, run.output
    assert published(team)["metadata"]["version"] == 1


def test_a_key_that_is_open_to_everybody_is_warned_of(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    (directory / "new" / "privkey.pem").chmod(0o644)
    run = server.publish(*given)
    assert run.exit == 0 and "has mode 0644" in run.stderr


@pytest.mark.parametrize("given, words", [
    ([], "--name, --cert and --key are needed, or a directory"),
    (["--name", "x", "--pkcs12", "x", "--cert", "y"], "or --pkcs12 and --password-file"),
    (["--pkcs12", "x"], "--name and --pkcs12 are needed"),
    (["--name", "x", "--password-file", "y"], "--name and --pkcs12 are needed"),
    (["--all", "/etc/letsencrypt/live", "--name", "x"], "not with --all: --name"),
    (["--all", "/etc/letsencrypt/live", "--force"], "not with --all: --force"),
    (["--all", "/etc/letsencrypt/live", "x"], "one directory too many: x"),
    (["--metrics", "x", "."], "only with --all or --list: --metrics"),
    (["--name", NAME], "--name, --cert and --key are needed"),
    (["--list", "--force"], "not with --list: --force"),
    (["--list", "--all", "x"], "not with --list: --all"),
    (["--list", "x"], "one directory too many: x"),
    (["--list", "--warn", "soon"], "--warn soon: expected a duration"),
    (["--json", "."], "only with --list: --json"),
    (["--cert", "x", "/etc/letsencrypt/live/x"], "either a directory, or --cert"),
    (["a", "b"], "more than one directory"),
    (["--name", "a", "--name", "b", "."], "given twice: --name"),
    (["--name", "../x", "."], "../x: a NAME is up to 253 letters"),
    (["--bogus"], "bogus"),
    (["--verbose", "--quiet", "."], "either --verbose or --quiet"),
    (["--dry", "."], "--dry: write it out: --dry-run"),
    (["--nam=a", "."], "--nam=a: write it out: --name"),
    (["--all", "/nonexistent", "--metrics", "--dry-run"], "--dry-run is no value: --metrics"),
    (["--config", "/nonexistent/publish.ini", "--name", "x", "."], "/nonexistent/publish.ini"),
])
def test_wrong_usage_is_exit_1(server, given, words):
    run = server.execute([process.publish_program(), *given])
    assert run.exit == 1 and words in run.stderr and run.stdout == "", run.output


def test_all_errors_of_a_configuration_are_told(server, directory):
    config = directory / "publish.ini"
    config.write_text("[vault]\nbogus = 1\nauth = nothing\n[end]\n")
    run = server.execute([process.publish_program(), "--config", config, "--name", "x", directory])
    assert run.exit == 1 and "bogus" in run.stderr and "auth" in run.stderr and "address" in run.stderr


def test_missing_files_are_exit_1(vault, server, ca, directory):
    given = arguments(ca.leaf([NAME]), directory / "new")
    (directory / "new" / "privkey.pem").unlink()
    run = server.publish(*given)
    assert run.exit == 1 and "privkey.pem is missing" in run.stderr


def test_help_and_version(server):
    assert "--chain" in server.execute([process.publish_program(), "--help"]).stdout
    assert server.execute([process.publish_program(), "--version"]).stdout.startswith("certlet-publish ")


def test_no_key_and_no_token_is_ever_shown(vault, server, ca, directory):
    leaf = ca.leaf([NAME])
    given = arguments(leaf, directory / "new")
    token = vault.publisher_token()
    outputs = [server.publish(*given, "--verbose", token=token, env={"VAULT_TOKEN": token}).output,
               server.publish(*given, "--verbose", "--force", token="s.secretwrongtoken").output]
    line = leaf.key.splitlines()[1][:40]
    assert all(line not in output and token not in output and "s.secretwrong" not in output for output in outputs)
    assert json.dumps(published(vault)["metadata"]).count("PRIVATE") == 0
