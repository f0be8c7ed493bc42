"""The manifest: what is wrong with it is told in one go and changes nothing; the policy that it needs is enough and no more."""

import os
import shutil
from urllib.parse import quote

import pytest

VAULT = "[vault]\naddress = https://vault.example.com:8200\n"

WRONG = """\
[vault]
adress = https://vault.example.com:8200
timeout = 10
kv_version = 3

[agent]
metrics_file = /var/lib/node_exporter/certlet.txt

[certificate www.example.test]
key_mode = 0644
cert_path = /srv/tls/cert.pem
services = ngnix

[certificate mail.example.test]
key_path = /srv/tls/cert.pem
chain_path = {archive}/chain.pem
adopt = maybe
ttl = 30m
  [service smtp]
[certificate www.example.test]
[end]
"""

TOLD = {  # line: words
    1: "address: missing",
    2: "did you mean address?",
    3: "10 is no duration",
    4: "auto, 1 or 2",
    7: "metrics_file: /var/lib/node_exporter/certlet.txt does not end in .prom",
    10: "0644 lets others read the key; 0600 or 0640 are usual",
    12: "ngnix is neither a [service ngnix] of this manifest nor a preset",
    15: "/srv/tls/cert.pem is what cert_path of [certificate www.example.test] writes already, in line 11",
    16: "no output may stand there",
    17: "adopt: maybe is not accepted; it is no or yes",
    18: "ttl: is for a pki: source only",
    19: "looks like a section header",
    20: "[certificate www.example.test] again: it stands in line 9",
}


def test_all_errors_are_told_in_one_go_and_nothing_is_touched(vault, server):
    vault.publish("www.example.test")
    server.wants("www.example.test")
    assert server.sync().exit == 0
    before = server.files()
    wrong = WRONG.format(archive="/etc/certlet/archive")
    server.writes(wrong)
    server.write_manifest()
    before["etc/manifest.ini"] = server.files()["etc/manifest.ini"]
    vault.publish("www.example.test")
    for verb in ("--test", "--sync", "--purge", "--policy"):
        run = server.run(verb)
        assert run.exit == 1
        for line, words in TOLD.items():
            told = [text for text in run.stderr.splitlines() if f"manifest.ini:{line}: " in text and words in text]
            assert len(told) == 1, f"line {line}: {words}"
    assert vault.requests() == 0
    assert server.files() == before


def test_errors_come_in_the_order_of_their_lines(server):
    server.writes(WRONG.format(archive="/etc/certlet/archive"))
    lines = [int(text.split("manifest.ini:")[1].split(":")[0]) for text in server.run("--test").stderr.splitlines()
             if "manifest.ini:" in text]
    assert lines == sorted(lines) and len(lines) == len(TOLD)


def test_a_good_manifest_passes_without_vault_users_or_directories(server):
    server.writes(VAULT + "[agent]\nuser = nobody-knows\ndirectory = /nonexistent/certlet\n"
                  "[certificate www.example.test]\nowner = nobody-knows\n[end]\n")
    run = server.run("--test")
    assert run.exit == 0


def test_judging_a_manifest_opens_nothing_but_it_and_the_presets(server):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    server.writes(VAULT + f"ca_file = {server.etc}/ca.pem\n[certificate www.example.test]\ntrust_file = {server.etc}/trust.pem\n[end]\n")
    trace = server.directory / "trace"
    assert server.run("--test", under=["strace", "-f", "-e", "trace=open,openat,connect,execve", "-o", trace]).exit == 0
    ours = [line for line in trace.read_text().splitlines() if str(server.etc) in line and "execve" not in line]
    assert len(ours) == 1 and "manifest.ini" in ours[0]
    assert "connect(" not in trace.read_text()


@pytest.mark.parametrize("break_it, words", [
    (lambda text: text.replace("[end]\n", ""), "no [end]"),
    (lambda text: text.rstrip("\n"), "does not end in a newline"),
    (lambda text: text + "[vault]\n", "text after [end]"),
    (lambda text: text.replace("[end]", "; " + "x" * 197 + "\n[end]"), "198 bytes"),
    (lambda text: text.replace("[end]", "\0\n[end]"), "NUL"),
    (lambda text: text.replace("\n", "\r\n"), "carriage return"),
], ids=["no-end", "no-newline", "after-end", "long-line", "nul", "crlf"])
def test_a_manifest_that_is_no_whole_text_changes_nothing(vault, server, break_it, words):
    vault.publish("www.example.test")
    server.wants("www.example.test")
    assert server.sync().exit == 0
    before = server.installed("www.example.test").inodes
    server.unwants("www.example.test")
    server.wants("mail.example.test")
    server.writes(break_it(server.manifest_text()))
    with server.manifest.open("w", newline="") as file:
        file.write(server.manifest_text())
    run = server.execute(server.command("--sync"))
    assert run.exit == 1 and words in run.stderr
    assert server.installed("www.example.test").inodes == before


def test_a_manifest_that_is_a_pipe_or_a_directory_or_missing_is_refused_at_once(server):
    fifo = server.directory / "fifo"
    os.mkfifo(fifo)
    for file in (fifo, server.directory, server.directory / "missing.ini"):
        run = server.execute([server.command()[0], "--manifest", file, "--test"], timeout=10)
        assert run.exit == 1 and str(file) in run.stderr


def test_names_that_share_their_first_49_bytes_are_two_certificates(vault, server):
    names = ["a" * 50 + f"{number}.example.test" for number in (1, 2)]
    for name in names:
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    assert server.installed(names[0]).fingerprint != server.installed(names[1]).fingerprint


def test_a_secret_in_the_place_of_its_file_is_not_repeated(server):
    server.writes(VAULT + "auth = token\ntoken_file = hvs.SECRETSECRET\nproxy = http://user:SECRETSECRET@p:1\n[end]\n")
    run = server.run("--test")
    assert run.exit == 1 and "SECRETSECRET" not in run.output
    secret = server.directory / "secret"
    secret.write_text("hvs.SECRETSECRET\n")
    run = server.execute([server.command()[0], "--manifest", secret, "--test"])
    assert run.exit == 1 and "SECRETSECRET" not in run.output


def test_the_policy_is_enough_and_gives_nothing_else(vault, server):
    for name in ("www.example.test", "mail.example.test"):
        vault.publish(name)
    vault.publish("old.example.test", v1=True)
    server.wants("www.example.test", kv_version=2)
    server.wants("old.example.test", kv_mount=vault.kv1_mount, kv_version=1)
    run = server.run("--policy")
    assert run.exit == 0
    vault.policy(run.stdout)
    assert server.sync().exit == 0
    server.wants("mail.example.test")
    run = server.sync()
    assert run.exit == 2 and server.installed("mail.example.test") is None
    assert "list" not in server.run("--policy").stdout
    vault.policy(server.run("--policy").stdout)
    assert server.sync("mail.example.test").exit == 0
    assert server.installed("mail.example.test").matches


def test_a_path_that_must_be_quoted_is_named_by_the_policy(vault, server):
    path = 'certs/a "b" \\c ${d} é'
    vault.publish("www.example.test", path=quote(path))
    server.wants("www.example.test", source=f"kv:{path}")
    vault.policy(server.run("--policy").stdout)
    assert server.sync().exit == 0
    assert server.installed("www.example.test").matches
