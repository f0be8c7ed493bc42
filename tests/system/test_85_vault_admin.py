"""certlet-admin: a new OpenBao becomes the repository, and each server is told which certificates it may read."""

import re
import shutil
import stat
import uuid
from pathlib import Path

import pytest

from support import process
from support.admin import PROGRAM, Administrator
from support.bao import ApiError
from support.process import ROOT

pytestmark = pytest.mark.shell


@pytest.fixture
def host(root_admin):
    """The name of a host that no other test has."""
    name = f"web-{uuid.uuid4().hex[:8]}.example.test"
    yield name
    for role in (name, f"consumer-{name}"):
        root_admin.api("DELETE", f"auth/approle/role/{role}")


@pytest.fixture
def names():
    """Names of certificates that no other test has."""
    mark = uuid.uuid4().hex[:8]
    return [f"{word}-{mark}.example.test" for word in ("a", "b", "c")]


def lines(run):
    """{what: state} of the lines that tell what was done."""
    found = {}
    for line in run.stderr.splitlines():
        told = re.match(r"(\S.{0,12}?)  +(\S.*)$", line)
        if told:
            found[told.group(2)] = told.group(1)
    return found


def refuses(admin, role_id, secret_id):
    with pytest.raises(ApiError) as error:
        admin.logs_in(role_id, secret_id)
    return error.value.code == 400


# --- setup ---

def test_setup_may_be_repeated_and_mends_what_was_changed(root_admin, repository):
    root_admin.api("PUT", "sys/policies/acl/certlet-consumer", {"policy": 'path "*" { capabilities = ["read"] }'})
    done = lines(root_admin.does("setup"))
    assert done.pop("policy certlet-consumer") == "changed"
    assert set(done.values()) == {"was there"} and "audit device log/" in done and "kv at secret/" in done


def test_a_dry_run_of_setup_tells_all_and_makes_nothing(new_namespace):
    run = new_namespace.does("setup", "--dry-run")
    assert lines(run)["kv at secret/"] == "would make" and "would run: bao auth enable -path=approle -max-lease-ttl=8760h approle" in run.stderr
    assert lines(run)["audit device: the one of the root namespace logs this one too"] == "not here"
    assert "secret/" not in new_namespace.api("GET", "sys/mounts")["data"]
    assert not new_namespace.has_policy("certlet-publisher")


def test_a_mount_that_is_something_else_is_refused(new_namespace):
    new_namespace.api("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "1"}})
    run = new_namespace.run("setup")
    assert run.exit == 1 and "expected kv version 2 at secret/, found version 1" in run.stderr
    new_namespace.api("POST", "sys/mounts/team/keys", {"type": "transit"})
    run = new_namespace.run("setup", "--kv-mount", "team/keys")
    assert run.exit == 1 and "expected kv at team/keys/, found transit" in run.stderr


def test_the_life_of_a_secret_id_is_not_cut_by_the_mount(repository, host, names, new_namespace):
    """Vault does so silently: to the 32 days of its own default."""
    handed_out = repository.hands_out("add-server", host, names[0])
    secret_id = repository.opens(handed_out)
    found = repository.api("POST", f"auth/approle/role/{host}/secret-id/lookup", {"secret_id": secret_id})["data"]
    assert found["secret_id_ttl"] == 90 * 86400
    new_namespace.api("POST", "sys/auth/approle", {"type": "approle"})
    run = new_namespace.run("setup")
    assert "approle/ lasts 32 days at most" in run.stderr and "bao auth tune -max-lease-ttl=2160h approle/" in run.stderr


def test_it_works_where_it_is_installed(repository, directory):
    (directory / "sbin").mkdir()
    shutil.copy(PROGRAM, directory / "sbin/certlet-admin")
    for part in ("admin", "policies"):
        shutil.copytree(ROOT / "etc/vault" / part, directory / "share/certlet/vault" / part)
    run = repository.does("list", program=directory / "sbin/certlet-admin")
    assert run.stdout.startswith("ROLE ")


# --- servers ---

def test_a_server_may_read_what_was_said_last_and_has_no_other_right(repository, host, names):
    a, b, c = names
    made = repository.hands_out("add-server", host, a, b)
    auth = repository.logs_in(made["role_id"], repository.opens(made))
    assert auth["token_type"] == "batch" and auth["lease_duration"] == 3600
    assert sorted(auth["token_policies"]) == [f"certlet-cert-{a}", f"certlet-cert-{b}"]
    role = repository.api("GET", f"auth/approle/role/{host}")["data"]
    assert role["secret_id_ttl"] == 90 * 86400 and host not in made["role_id"] and uuid.UUID(made["role_id"])
    again = repository.does("add-server", host, c, b)
    assert again.stdout == "", "a secret-id was handed out again"
    assert lines(again)[f"role auth/approle/role/{host}"] == "changed" and lines(again)[f"policy certlet-cert-{a}"] == "removed"
    assert repository.roles()[host] == f"{b} {c}"


def test_certificates_are_added_to_a_server_and_taken_from_it(root_admin, repository, host, names):
    a, b, c = (f"certlet-cert-{name}" for name in names)
    root_admin.has_made(host, *names[:2])
    held = lambda: root_admin.api("GET", f"auth/approle/role/{host}")["data"]["token_policies"]
    repository.does("add-server", "--add", host, names[2], names[0])
    assert held() == [a, b, c]
    assert lines(repository.does("add-server", "--drop", host, names[0]))[f"role auth/approle/role/{host}"] == "changed"
    assert held() == [b, c]
    run = repository.run("add-server", "--drop", host, *names)
    assert run.exit == 1 and "that would leave none; remove-server" in run.stderr


def test_a_policy_stays_as_long_as_somebody_has_it(root_admin, repository, host, names):
    shared, own, _ = names
    role_id, secret_id = root_admin.has_made(host, shared, own), root_admin.makes_secret_id(host)
    root_admin.has_made(f"consumer-{host}", shared, more=["certlet-consumer"])
    done = lines(repository.does("remove-server", host))
    assert done[f"policy certlet-cert-{own}"] == "removed" and f"policy certlet-cert-{shared}" not in done
    assert refuses(repository, role_id, secret_id), "its secret-id is alive"
    assert lines(repository.does("remove-server", host)) == {f"role {host}": "was gone"}
    assert lines(repository.does("remove-consumer", host))[f"policy certlet-cert-{shared}"] == "removed"


def test_a_policy_stays_as_long_as_the_other_login_of_the_same_host_has_it(root_admin, repository, host, names):
    root_admin.has_made(host, *names[:2])
    ca = root_admin.api("GET", "auth/cert/certs/puppet_ca")["data"]["certificate"]
    root_admin.api("POST", f"auth/cert/certs/{host}", {"certificate": ca, "token_policies": [f"certlet-cert-{names[0]}"]})
    repository.does("add-server", "--drop", host, names[0])
    assert root_admin.has_policy(f"certlet-cert-{names[0]}")
    done = lines(repository.does("remove-server", host))
    assert list(done.values()) == ["removed"] * 4, "two roles and two policies"


def test_another_secret_id_leaves_the_older_ones_or_destroys_them(root_admin, repository, host, names, directory):
    role_id, first = root_admin.has_made(host, names[0]), root_admin.makes_secret_id(host)
    second = repository.hands_out("new-secret-id", host)
    assert second["role_id"] == role_id
    repository.logs_in(role_id, first)
    file = directory / "secret-id"
    run = repository.does("new-secret-id", host, "--only", "--secret-id-file", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.read_text().strip() not in run.output
    assert [path.name for path in directory.iterdir()] == ["secret-id"], "a temporary file is left"
    assert refuses(repository, role_id, first)
    assert refuses(repository, role_id, repository.opens(second))
    repository.logs_in(role_id, file.read_text().strip())
    run = repository.run("new-secret-id", host, "--secret-id-file", directory)
    assert run.exit == 1 and f"found the directory {directory}" in run.stderr


def test_a_secret_id_is_good_only_from_the_addresses_that_were_said(repository, host, names):
    made = repository.hands_out("add-server", host, names[0], "--cidr", "192.0.2.0/24", "--secret-id-ttl", "1h")
    assert refuses(repository, made["role_id"], repository.opens(made))
    repository.does("add-server", host, names[0])
    role = repository.api("GET", f"auth/approle/role/{host}")["data"]
    assert role["secret_id_bound_cidrs"] == ["192.0.2.0/24"] and role["secret_id_ttl"] == 3600, "forgotten when said again"


def test_a_certificate_that_nobody_has_published_is_noted(repository, host, names):
    repository.api("POST", f"secret/data/certs/{names[0]}", {"data": {"cert": "-"}})
    run = repository.does("add-server", host, *names[:2])
    assert f"note: secret/certs/{names[1]} is not published yet" in run.stderr
    assert f"secret/certs/{names[0]} is not" not in run.stderr


def test_a_role_of_somebody_elses_is_left_alone(root_admin, repository, host, names):
    root_admin.api("POST", f"auth/approle/role/{host}", {"token_policies": ["default"]})
    before = root_admin.api("GET", f"auth/approle/role/{host}")["data"]
    for arguments in (["add-server", host, names[0]], ["remove-server", host], ["new-secret-id", host]):
        run = repository.run(*arguments)
        assert run.exit == 1 and f"auth/approle/role/{host}" in run.stderr
    assert root_admin.api("GET", f"auth/approle/role/{host}")["data"] == before


def test_a_policy_that_others_have_is_not_turned_to_another_mount(repository, host, names):
    repository.does("add-server", host, names[0])
    run = repository.run("add-server", f"{host}-2", names[0], "--kv-mount", "elsewhere")
    assert run.exit == 1 and "found one for another mount: see --kv-mount" in run.output
    assert f"{host}-2" not in repository.roles()


def test_a_dry_run_of_a_server_changes_nothing(root_admin, repository, host, names):
    run = repository.does("add-server", host, names[0], "--dry-run")
    assert lines(run)[f"role auth/approle/role/{host}"] == "would make" and run.stdout == ""
    assert not root_admin.has_policy(f"certlet-cert-{names[0]}")
    root_admin.has_made(host, names[0])
    run = repository.does("remove-server", host, "--dry-run")
    assert lines(run)[f"policy certlet-cert-{names[0]}"] == "would remove"
    assert root_admin.api("GET", f"auth/approle/role/{host}")


@pytest.mark.parametrize("arguments, words", [
    (["add-server", "Web1", "a.example.test"], 'expected the name of a server (lower case letters'),
    (["add-server", "web1", "../x"], 'found "../x"'),
    (["add-server", "web1", "a*"], 'found "a*"'),
    (["add-server", "web1", "a.example.test b"], 'found "a.example.test b"'),
    (["add-server", "web1"], "expected the certificates that web1 may read"),
    (["add-server", "puppet_ca", "a.example.test", "--puppet"], "puppet_ca is the role that setup --puppet-ca makes"),
    (["remove-server", "puppet_ca"], "puppet_ca is the role of all servers that log in by their Puppet certificates"),
    (["add-consumer", "k8s", "a.example.test", "--per-host"], "--puppet and --per-host are for add-server"),
    (["add-publisher", "issuer", "a.example.test"], "expected no certificates here"),
    (["add-server", "web1", "--kv-mount"], "--kv-mount needs a value"),
    (["add-server", "web1", "a.example.test", "--secret-id-file", "--dry-run"], "--secret-id-file needs a value, found --dry-run"),
    (["list", "--kv-mount", "secret/*"], 'expected a mount, found "secret/*"'),
    (["add-server", "web1", "--colour", "a"], "unknown option --colour"),
    (["setup", "--puppet-ca", "/nonexistent"], "cannot read /nonexistent"),
    (["grow"], "unknown verb grow"),
])
def test_what_is_wrong_is_said_before_vault_is_asked(bao, arguments, words):
    run = Administrator(bao, token="none", address="https://127.0.0.1:1").run(*arguments)
    assert run.exit == 1 and words in run.stderr and run.output.count("\n") == 1


def test_what_could_not_be_read_is_not_taken_for_missing(root_admin, repository, host, names):
    root_admin.has_made(host, names[0])
    # May delete roles and policies, and not read the roles of others.
    half = root_admin.as_one_with("half")
    root_admin.api("PUT", "sys/policies/acl/half", {"policy": f'''
path "auth/approle/role/{host}" {{ capabilities = ["read", "delete"] }}
path "auth/cert/certs/{host}" {{ capabilities = ["read"] }}
path "auth/approle/role/" {{ capabilities = ["list"] }}
path "sys/policies/acl/*" {{ capabilities = ["read", "delete"] }}'''})
    run = half.run("remove-server", host)
    assert run.exit == 1 and "permission denied" in run.stderr and "The token may be over, or may not do this" in run.stderr
    assert root_admin.has_policy(f"certlet-cert-{names[0]}"), "removed though nobody knows who else has it"
    assert root_admin.api("GET", f"auth/approle/role/{host}"), "removed, so that nobody knows any more what it had"


def test_no_secret_is_an_argument_and_the_command_vault_does_as_well(repository, host, names, directory):
    """The command that certlet-admin finds notes how it was called."""
    noting = directory / "vault"
    noting.write_text(f'#!/bin/sh\necho "$*" >>{directory}/calls\nenv >>{directory}/environment\nexec {process.bao_program()} "$@"\n')
    noting.chmod(0o755)
    tools = directory / "tools"
    tools.mkdir()
    for path in repository.environment["PATH"].split(":")[1:]:
        for tool in Path(path).glob("*"):
            if tool.name not in ("bao", "vault") and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    env = {"PATH": f"{directory}:{tools}", "BAO_ADDR": "", "BAO_CACERT": "", "BAO_TOKEN": ""}
    env |= {f"VAULT_{key}": repository.environment[f"BAO_{key}"] for key in ("ADDR", "CACERT", "TOKEN")}
    env = {key: value for key, value in env.items() if value} | {"BAO_FORMAT": "json", "VAULT_WRAP_TTL": "5m"}
    keep, repository.environment = repository.environment, {"HOME": repository.environment["HOME"]}
    try:
        repository.does("add-server", host, names[0], env=env)
        run = repository.does("new-secret-id", host, "--only", "--secret-id-file", "-", env=env)
    finally:
        repository.environment = keep
    secret_id = dict(line.split() for line in run.stdout.splitlines())["secret_id"]
    told = (directory / "calls").read_text()
    assert f"write auth/approle/role/{host}" in told
    assert secret_id not in told and repository.token not in told and secret_id not in (directory / "environment").read_text()


# --- many ---

@pytest.fixture
def many(new_namespace):
    """A namespace with 30 servers, by AppRole and by certificate, each with a certificate of its own and one that all have."""
    for kind in ("approle", "cert"):
        new_namespace.api("POST", f"sys/auth/{kind}", {"type": kind})
    ca = Path(new_namespace.bao.ca_file).read_text()
    for one in range(30):
        path = f"auth/cert/certs/web{one:02}" if one % 3 == 0 else f"auth/approle/role/web{one:02}"
        held = ["certlet-cert-all.example.test", f"certlet-cert-www{one:02}.example.test"]
        new_namespace.api("POST", path, {"token_policies": held} | ({"certificate": ca} if one % 3 == 0 else {}))
    new_namespace.api("POST", "auth/approle/role/another", {"token_policies": ["default"]})
    return new_namespace


def watched(admin, directory, bao="", curl="exec /usr/bin/curl", jq="exec /usr/bin/jq"):
    """How often the command bao is called from now on: a function. How it and curl are is noted in files here."""
    for name, does in (("bao", f"{bao}\nexec {process.bao_program()}"), ("curl", curl), ("jq", jq)):
        (directory / name).write_text(f'#!/bin/sh\necho "$*" >>{directory}/{name}.calls\n{does} "$@"\n')
        (directory / name).chmod(0o755)
    admin.environment["PATH"] = f"{directory}:{admin.environment['PATH']}"
    return lambda: (directory / "bao.calls").read_text().count("\n")


def test_however_many_roles_there_are_few_processes_read_them(many, directory):
    calls = watched(many, directory)
    roles = many.roles()
    assert roles == {f"web{one:02}": f"all.example.test www{one:02}.example.test" for one in range(30)}
    assert calls() < 10
    done = lines(many.does("remove-server", "web07"))
    assert done["role auth/approle/role/web07"] == done["policy certlet-cert-www07.example.test"] == "removed" and len(done) == 2
    assert calls() < 25
    assert many.token not in (directory / "curl.calls").read_text() + (directory / "bao.calls").read_text()


@pytest.mark.parametrize("other", [{"curl": "exit 60; :"}, {"curl": "exit 0; :"}, {"jq": "exit 127; :"}],
                         ids=["curl fails", "curl brings nothing", "there is no jq"])
def test_the_roles_are_read_by_the_command_itself_where_curl_cannot(many, directory, other):
    calls = watched(many, directory, **other)
    assert many.roles()["web07"] == "all.example.test www07.example.test" and calls() > 30


@pytest.mark.parametrize("name, value", [
    ("BAO_ADDR", "unix:///run/bao"), ("BAO_ADDR", 'https://127.0.0.1:1/"\noutput = "pwned'), ("BAO_NAMESPACE", "`touch${IFS}pwned`"),
    ("BAO_NAMESPACE", 'x"\noutput = "pwned'), ("BAO_CACERT", 'x"\ninsecure\n#'), ("BAO_CACERT_BYTES", "PEM"),
    ("BAO_TLS_SERVER_NAME", "localhost"), ("VAULT_PROXY_ADDR", "http://127.0.0.1:1"), ("BAO_SKIP_VERIFY", "1")])
def test_curl_is_not_asked_where_the_command_goes_by_more_than_curl_is_told(many, directory, name, value):
    """As a socket, another name or authority, a proxy; or where a name would mean something to a shell or to curl."""
    real = "; ".join(f"export {key}='{many.environment[key]}'" for key in ("BAO_ADDR", "BAO_NAMESPACE", "BAO_CACERT"))
    calls = watched(many, directory, bao=f"{real}; unset BAO_CACERT_BYTES VAULT_PROXY_ADDR")
    many.environment[name] = value
    assert len(many.roles()) == 30 and calls() > 30
    assert not (directory / "curl.calls").exists() and not Path("pwned").exists()
