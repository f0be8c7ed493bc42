"""What certlet-admin hands out, in use: certlet-publish fills the repository, certlet takes from it, each with its own login."""

import re
import subprocess

import pytest

from support import process
from support.admin import write_secret
from support.machine import Machine
from support.process import ROOT


@pytest.fixture
def machine(directory, repository, ca):
    """A server that knows no more than the address of the repository."""
    made = Machine(directory, None, ca)
    made.asks(**repository.manifest_keys())
    return made


@pytest.fixture(scope="session")
def publisher_login(repository, session_directory):
    """The [vault] keys of the issuing host, whose secret-id certlet-admin has written."""
    secret_id = session_directory / "publisher-secret-id"
    made = repository.hands_out("add-publisher", "issuer2", "--secret-id-file", secret_id)
    role_id = write_secret(session_directory / "publisher-role-id", made["role_id"])
    return repository.manifest_keys() | {"role_id_file": role_id, "secret_id_file": secret_id}


@pytest.fixture
def publishes(publisher_login, ca, directory):
    """publishes(name) -> Leaf: by certlet-publish, with the publisher's role."""
    def publish(machine, name):
        leaf = ca.leaf([name])
        leaf.write(directory / "new" / name)
        config = directory / "publish.ini"
        config.write_text("[vault]\n" + "".join(f"{key} = {value}\n" for key, value in publisher_login.items())
                          + f"[agent]\nrun_directory = {machine.run_directory}\n[end]\n")
        run = machine.execute([process.publish_program(), "--config", config, directory / "new" / name])
        assert run.exit == 0 and "published version" in run.stderr, run.output
        return leaf
    return publish


def test_a_server_with_a_wrapped_secret_id_takes_what_the_publisher_has_put_there(repository, machine, publishes):
    leaf = publishes(machine, "one.example.test")
    made = repository.hands_out("add-server", "one", "one.example.test")
    machine.credentials(role_id=made["role_id"])
    machine.asks(secret_id_file=machine.etc / "secret-id",
                 wrapped_secret_id_file=write_secret(machine.etc / "wrapped", made["wrapped_secret_id"]))
    machine.wants("one.example.test")
    assert machine.sync().exit == 0
    assert machine.installed("one.example.test").fingerprint == leaf.fingerprint
    leaf = publishes(machine, "one.example.test")
    assert machine.sync().exit == 0
    assert machine.installed("one.example.test").fingerprint == leaf.fingerprint
    # Known to the repository, and not for this server: said as what it is, and the other one is left in peace.
    publishes(machine, "other.example.test")
    machine.wants("other.example.test")
    run = machine.sync()
    assert run.exit == 2 and "other.example.test" in run.stderr and "403" in run.stderr
    assert machine.installed("one.example.test") and not machine.installed("other.example.test")


def test_a_server_logs_in_by_its_puppet_certificate(root_admin, repository, machine, publishes, ca):
    leaf = publishes(machine, "two.example.test")
    root_admin.api("POST", "secret/data/hosts/two.host.test/two.example.test", {"data": leaf.fields()})
    run = repository.does("add-server", "two.host.test", "two.example.test", "--puppet")
    assert "auth = cert, cert_role = two.host.test" in run.stderr and run.stdout == ""
    puppet = ca.leaf(["two.host.test"], intermediates=0, usage="client")
    puppet.write(machine.directory / "puppet")
    machine.asks(auth="cert", cert_role="two.host.test",
                 client_cert_file=machine.directory / "puppet/cert.pem", client_key_file=machine.directory / "puppet/privkey.pem")
    machine.wants("two.example.test")
    assert machine.sync().exit == 0
    assert machine.installed("two.example.test").fingerprint == leaf.fingerprint
    # Another server of the same CA is not let in by this role.
    ca.leaf(["three.host.test"], intermediates=0, usage="client").write(machine.directory / "another")
    machine.asks(client_cert_file=machine.directory / "another/cert.pem", client_key_file=machine.directory / "another/privkey.pem")
    run = machine.sync()
    assert run.exit == 3 and "no chain matching all constraints" in run.stderr
    # By the role of all servers of this CA, what lies below hosts/ITS-NAME/, and nothing else.
    machine.unwants("two.example.test")
    machine.asks(cert_role="puppet_ca",
                 client_cert_file=machine.directory / "puppet/cert.pem", client_key_file=machine.directory / "puppet/privkey.pem")
    machine.wants("copy.example.test", source="kv:hosts/two.host.test/two.example.test", names="two.example.test")
    machine.wants("stolen.example.test", source="kv:hosts/three.host.test/two.example.test", names="two.example.test")
    run = machine.sync()
    assert run.exit == 2 and "stolen.example.test" in run.stderr and "403" in run.stderr, run.output
    assert machine.installed("copy.example.test").fingerprint == leaf.fingerprint
    assert repository.roles()["two.host.test"] == "two.example.test"


COPY = re.search(r"^bao kv get .*$", (ROOT / "etc/vault/README.md").read_text(), re.M).group()


def test_a_server_of_its_own_directory_takes_its_copy_and_is_shut_out_when_it_is_removed(
        root_admin, repository, machine, publishes, publisher_login):
    leaf = publishes(machine, "six.example.test")
    login = {key: publisher_login[f"{key}_file"].read_text().strip() for key in ("role_id", "secret_id")}
    copied = subprocess.run(["sh", "-ec", COPY], capture_output=True, text=True, env=repository.environment | {
        "BAO_TOKEN": root_admin.logs_in(**login)["client_token"], "name": "six.example.test", "host": "six"})
    assert copied.returncode == 0, copied.stderr
    made = repository.hands_out("add-server", "six", "--per-host", "--secret-id-file", "-")
    machine.credentials(made["role_id"], made["secret_id"])
    machine.wants("six.example.test", source="kv:hosts/six/six.example.test")
    assert machine.sync().exit == 0
    assert machine.installed("six.example.test").fingerprint == leaf.fingerprint
    assert repository.roles()["six"] == "hosts/six/"
    repository.does("remove-server", "six")
    assert machine.sync().exit == 0, "the token that it had is good for the rest of its hour"
    for token in machine.run_directory.glob("token*"):
        token.unlink()
    run = machine.sync()
    assert run.exit == 3 and "invalid role or secret ID" in run.stderr
    assert machine.installed("six.example.test").fingerprint == leaf.fingerprint, "what it has was taken from it"
