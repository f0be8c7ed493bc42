"""certlet-publish --list: what the repository holds and how long it lasts, without a private key being read."""

import http.client
import json
import os
import pty
import re
import shutil
import subprocess
import time

import pytest

from support import process

NAME, OTHER = "www.example.test", "mail.example.test"


def lister(vault, *kinds):
    """A token that may do no more than list: by detailed-metadata, or by metadata (as KV v2 had it first)."""
    rules = {"detailed": [(f"{vault.kv_mount}/detailed-metadata/certs/*", '"list"')],
             "plain": [(f"{vault.kv_mount}/metadata/certs/*", '"list", "read"')]}
    vault.policy("\n".join(f'path "{path}" {{ capabilities = [{what}] }}' for kind in kinds for path, what in rules[kind]))
    return vault.token()


def list_of(server, *arguments, **options):
    server.vault.mark()
    return server.publish("--list", *arguments, **options)


def certificates(server, **options):
    run = list_of(server, "--json", **options)
    assert run.exit == 0, run.output
    return {one["name"]: one for one in json.loads(run.stdout)["certificates"]}


def upload(server, ca, directory, name, **options):
    leaf = ca.leaf([name], **options)
    leaf.write(directory / name)
    assert server.publish(directory / name).exit == 0
    return leaf


@pytest.mark.parametrize("kind", ["detailed", "plain"])
def test_a_list_reads_no_private_key(vault, server, ca, directory, kind):
    leaf = upload(server, ca, directory, NAME, starts=-1.5)
    vault.put("team/legacy", {"cert": "x"})
    run = list_of(server, token=lister(vault, kind))
    assert run.exit == 0 and run.stderr == "", run.output
    lines = run.stdout.splitlines()
    assert lines[0].split() == ["CERTIFICATE", "STATE", "EXPIRES", "VERSION", "KEY", "ISSUER"]
    assert lines[1].split()[:3] == ["team/legacy", "unknown", "-"] and "nothing is noted of it" in lines[2]
    assert re.match(rf"{NAME} +ok +{leaf.not_after:%Y-%m-%d}, in 88 days +1 +new +CN=certlet test root intermediate", lines[3])
    assert lines[5] == "1 of 2 certificates needs attention"
    assert vault.keys_sent() == 0 and vault.requests("data") == 0 and vault.requests("list") > 0


def test_json_says_what_is_noted(vault, server, ca, directory):
    leaf = upload(server, ca, directory, NAME, starts=-1.5, days=90)
    found = certificates(server, token=lister(vault, "detailed"))[NAME]
    assert found == {
        "name": NAME, "state": "ok", "problem": None, "version": 1, "serial": leaf.serial, "fingerprint": leaf.fingerprint,
        "issuer": leaf.certificate.issuer.rfc4514_string(), "names": [NAME],
        "not_before": leaf.custom_metadata()["not_before"], "not_after": leaf.custom_metadata()["not_after"],
        "days_left": 88, "key_id": leaf.key_id, "key_since": 1, "key_reused": False}
    document = json.loads(server.last.stdout)
    assert document["schema"] == 1 and document["whole"] is True
    assert document["thresholds"] == {"warn": 25 * 86400, "critical": 7 * 86400}


def test_a_key_that_was_used_before_is_seen_over_versions(vault, server, ca, directory):
    first = upload(server, ca, directory, NAME, starts=-9)
    upload(server, ca, directory, NAME, starts=-8, private_key=first.private_key)
    upload(server, ca, directory, NAME, starts=-7, private_key=first.private_key)
    token = lister(vault, "detailed")
    found = certificates(server, token=token)[NAME]
    assert (found["version"], found["key_since"], found["key_reused"]) == (3, 1, True)
    assert re.search(rf"{NAME} .* since 1 ", list_of(server, token=token).stdout)
    upload(server, ca, directory, NAME, starts=-6)
    found = certificates(server, token=lister(vault, "detailed"))[NAME]
    assert (found["version"], found["key_since"], found["key_reused"]) == (4, 4, False)


def test_what_was_published_by_other_means_is_unknown(vault, server, ca, directory):
    upload(server, ca, directory, NAME)
    vault.put(NAME, {"cert": "x"})
    vault.publish(OTHER)
    vault.delete(OTHER)
    found = certificates(server, token=lister(vault, "plain"))
    assert found[NAME]["state"] == "unknown" and "what is noted is version 1" in found[NAME]["problem"]
    assert found[NAME]["not_after"] is None and found[NAME]["key_reused"] is None
    assert found[OTHER]["state"] == "deleted"


def fill(vault, names):
    """Writes empty secrets, over one connection."""
    connection = http.client.HTTPSConnection("127.0.0.1", vault.bao.port, context=vault.bao.tls)
    for name in names:
        connection.request("POST", f"/v1/{vault.kv_mount}/data/certs/{name}", '{"data":{}}',
                           {"X-Vault-Token": vault.bao.root_token})
        assert connection.getresponse().read()
    connection.close()


def test_a_thousand_names_in_directories_come_in_pages(vault, server):
    names = [f"n{number:04}" for number in range(900)] + [f"team/n{number}" for number in range(50)] + \
            [f"team/web/n{number}" for number in range(50)]
    fill(vault, names)
    found = certificates(server, token=lister(vault, "detailed"))
    assert sorted(found) == sorted(names)
    assert vault.requests("list") == 7 and vault.requests() == 7 and vault.keys_sent() == 0  # 5 pages, and a directory in two others


def test_a_namespace_has_a_repository_of_its_own(vault, server):
    vault.publish(OTHER)
    team = vault.in_namespace("team" + vault.id)
    team.publish(NAME)
    server.uses(team)
    assert sorted(certificates(server, token=lister(team, "detailed"))) == [NAME]
    assert json.loads(server.last.stdout)["vault"] == {"namespace": team.namespace.rstrip("/"), "kv_mount": team.kv_mount}


@pytest.mark.parametrize("days, arguments, expected, words", [
    (80, [], 0, f"CERTLET OK - 2 certificates, {NAME} expires first, in 80 days | certificates=2 critical=0 warning=0"),
    (20, [], 1, f"CERTLET WARNING - 1 of 2 certificates: {NAME} expires in 20 days | "),
    (5, [], 2, f"CERTLET CRITICAL - 1 of 2 certificates: {NAME} expires in 5 days | "),
    (20, ["--warn", "10d"], 0, "CERTLET OK"),
    (20, ["--warn", "30d", "--critical", "21d"], 2, "CERTLET CRITICAL"),
])
def test_check_is_one_line_for_monitoring(vault, server, days, arguments, expected, words):
    vault.publish(NAME, starts=days - 89.5, days=90)
    vault.publish(OTHER)
    run = list_of(server, "--check", *arguments, token=lister(vault, "detailed"))
    assert run.exit == expected and run.stdout.startswith(words) and run.stdout.count("\n") == 1, run.output
    assert run.stderr == ""


def test_check_with_json_is_the_document_with_the_exit_code_of_the_check(vault, server, dead_address):
    vault.publish(NAME, starts=-84.5, days=90)
    run = list_of(server, "--check", "--json", token=lister(vault, "detailed"))
    assert run.exit == 2 and run.stderr == ""
    assert [one["state"] for one in json.loads(run.stdout)["certificates"]] == ["critical"]
    run = list_of(server, "--check", "--json", "--warn", "soon")
    assert run.exit == 3 and run.stdout == "" and "--warn soon" in run.stderr
    server.asks(address=dead_address)
    run = list_of(server, "--check", "--json")
    assert run.exit == 3 and run.stdout == "" and "127.0.0.1" in run.stderr


def test_a_short_life_has_its_own_thresholds(vault, server):
    vault.publish(NAME, starts=-3, days=6.5)
    token = lister(vault, "detailed")
    assert list_of(server, "--check", token=token).exit == 0
    vault.publish(NAME, starts=-5.5, days=6.5)
    assert list_of(server, "--check", token=token).exit == 1
    vault.publish(NAME, starts=-6, days=6.5)
    assert list_of(server, "--check", token=token).exit == 2


def test_a_check_that_cannot_be_made_is_unknown(vault, server, dead_address):
    run = list_of(server, "--check", token=vault.token())
    assert run.exit == 3 and run.stdout.startswith("CERTLET UNKNOWN - ") and "permission denied" in run.stdout
    server.asks(address=dead_address, deadline="1s")
    run = list_of(server, "--check", token="s.x")
    assert run.exit == 3 and run.stdout.startswith("CERTLET UNKNOWN - "), run.output
    for wrong in (["--config", "/nonexistent/publish.ini"], ["--warn", "25"], ["--warn", "7d", "--critical", "25d"]):
        run = server.execute([process.publish_program(), "--list", "--check", *wrong])
        assert run.exit == 3 and run.stdout.startswith("CERTLET UNKNOWN - "), run.output


@pytest.mark.parametrize("wrong", [["--bogus"], ["x"], ["--warn", "1d", "--warn", "2d"], ["--force"], ["--verbose", "--quiet"]])
def test_a_check_that_was_called_wrongly_is_unknown(server, wrong):
    """1 would be a warning about certificates."""
    check = ["--list", "--check"]
    for arguments in (check + wrong, wrong + check, [*check, "--warn"]):
        run = server.execute([process.publish_program(), *arguments])
        assert run.exit == 3 and run.stdout == "CERTLET UNKNOWN - wrong usage\n" and "certlet-publish: " in run.stderr, run.output
    run = server.execute([process.publish_program(), *check, "--json", *wrong])
    assert run.exit == 3 and run.stdout == ""


def test_whole_days_are_negative_from_the_end_on(vault, server):
    vault.publish(NAME, starts=-90.1, days=90)
    vault.publish(OTHER, starts=-89.9, days=90)
    left = {name: one["days_left"] for name, one in certificates(server, token=lister(vault, "detailed")).items()}
    assert left == {NAME: -1, OTHER: 0}


def test_exit_codes_are_those_of_a_run(vault, server, dead_address):
    run = list_of(server, token=lister(vault, "detailed"))
    assert run.exit == 0 and run.stdout.count("\n") == 1 and "CERTIFICATE" in run.stdout  # nothing is there yet
    assert list_of(server, "--critical", "30d", token=vault.token()).exit == 1
    run = list_of(server, token=vault.token(policies=["default"]))
    assert run.exit == 2 and "permission denied" in run.stderr and run.stdout == ""
    server.asks(address=dead_address, deadline="1s")
    assert list_of(server, token="s.x").exit == 3


def test_what_may_not_be_looked_at_is_named(vault, server):
    vault.publish(NAME)
    vault.put("team/web", {})
    vault.policy(f'path "{vault.kv_mount}/metadata/certs/" {{ capabilities = ["list"] }}')
    run = list_of(server, token=vault.token())
    assert run.exit == 2, run.output
    assert "team/" in run.stdout and NAME in run.stdout and run.stdout.count("permission denied") == 2


def test_a_mount_of_version_1_is_no_empty_repository(vault, server):
    vault.put(NAME, {"cert": "x"}, v1=True)
    vault.policy(f'path "{vault.kv1_mount}/*" {{ capabilities = ["list", "read"] }}')
    server.asks(kv_mount=vault.kv1_mount)
    run = list_of(server, token=vault.token())
    assert run.exit == 1 and "to be a KV mount of version 2, found version 1" in run.stderr, run.output


def test_a_terminal_gets_colours(vault, server):
    vault.publish(NAME)
    list_of(server, token=lister(vault, "detailed"))
    ours, theirs = pty.openpty()
    program = subprocess.Popen([process.publish_program(), "--config", server.etc / "publish.ini", "--list"],
                               stdin=theirs, stdout=theirs, stderr=theirs, env=server.environment | {"TERM": "xterm"},
                               preexec_fn=process.die_with_parent)
    os.close(theirs)
    assert program.wait(10) == 0
    assert b"\033[32mok\033[0m" in os.read(ours, 65536)
    os.close(ours)


# Prometheus

RULES = process.ROOT / "etc/monitoring/certlet-alerts.yml"
ALERTS = process.ROOT / "tests/system/data/certlet-alerts.test.yml"


def promtool(*arguments, **options):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    run = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, **options)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_metrics_please_prometheus(vault, server, ca, directory):
    first = upload(server, ca, directory, NAME, starts=-3)
    upload(server, ca, directory, NAME, private_key=first.private_key)
    vault.put('a%20"quoted"', {})
    live = directory / "live"
    ca.leaf([OTHER]).write(live / OTHER)
    assert server.publish("--all", live, "--metrics", directory / "publish.prom").exit == 0
    run = list_of(server, "--metrics", directory / "list.prom", token=lister(vault, "detailed"))
    assert run.exit == 0 and run.output == ""
    for file in (directory / "publish.prom", directory / "list.prom"):
        promtool("check", "metrics", input=file.read_text())
    text = (directory / "list.prom").read_text()
    assert f'certlet_published_key_versions{{name="{NAME}"}} 2\n' in text
    assert 'certlet_published_known{name="a \\"quoted\\""} 0\n' in text
    moment = re.search(r"^certlet_published_list_timestamp_seconds (\d+)$", text, re.M)
    assert abs(int(moment.group(1)) - time.time()) < 120


def test_metrics_that_cannot_be_written_are_a_failure(vault, server, ca, directory):
    upload(server, ca, directory, NAME)
    run = list_of(server, "--metrics", directory / "none/list.prom", token=lister(vault, "detailed"))
    assert run.exit == 2 and f"{directory}/none" in run.stderr


def test_the_alert_rules_know_every_metric_and_do_as_they_say():
    promtool("check", "rules", RULES)
    promtool("test", "rules", ALERTS)


def test_alert_rules_use_only_metrics_that_there_are():
    used = set(re.findall(r"\bcertlet_\w+", RULES.read_text()))
    source = (process.ROOT / "agent/publish-metrics.c").read_text()
    told = set(re.findall(r'"(certlet_publish_\w+|certlet_published_list_\w+)"', source))
    told |= {f"certlet_published_{name}" for name in re.findall(r'^\t\{ "(\w+)", "', source, re.M)}
    assert used and used <= told


# Icinga

def test_the_sample_for_icinga_calls_what_there_is(vault, server):
    vault.publish(NAME)
    token = lister(vault, "detailed")
    assert list_of(server, "--check", token=token).exit == 0
    sample = (process.ROOT / "etc/monitoring/certlet-icinga.conf").read_text()
    values = dict(re.findall(r'vars\.(\w+) = "(.*)"', sample)) | {"certlet_config": str(server.etc / "publish.ini")}
    options = [word for option, value in re.findall(r'"(--\w+)" = "\$(\w+)\$"', sample) for word in (option, values[value])]
    command = re.search(r'"/usr/sbin/certlet-publish", "--list", "--check"', sample)
    assert command and len(options) == 6
    assert server.execute([process.publish_program(), "--list", "--check", *options]).exit == 0
