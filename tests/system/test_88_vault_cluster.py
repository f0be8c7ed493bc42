"""Three nodes with integrated storage, as in etc/vault/server-raft.hcl: the leader is killed, and nobody has to do anything."""

import signal

import pytest

from support import process
from support.admin import Administrator, write_secret
from support.cluster import AUDIT, Cluster
from support.machine import Machine

NAME = "www.example.test"


@pytest.fixture
def cluster(directory):
    made = Cluster(directory, audit=False)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def admin(cluster):
    return Administrator(cluster.nodes[0])


def test_agent_and_publisher_go_on_when_the_leader_is_killed(cluster, admin, directory, ca):
    # OpenBao takes no audit device by API: setup tells what belongs into the file, and it is what the sample has.
    run = admin.run("setup", "--audit-file", "/var/log/openbao/audit.log")
    assert run.exit == 2 and AUDIT in run.stderr, run.output
    for node in cluster.nodes:
        node.configure(cluster.nodes, audit=True)
        node.process.send_signal(signal.SIGHUP)
    process.wait_until(lambda: "certlet/" in admin.api("GET", "sys/audit"), 10, "the audit device")

    leader = cluster.leader()
    addresses = {"address": cluster.addresses(first=leader), "ca_file": leader.ca_file}
    machine = Machine(directory / "machine", None, ca)
    publisher = admin.hands_out("add-publisher", "issuer1", "--secret-id-file", directory / "publisher-secret-id")
    config = directory / "publish.ini"
    config.write_text(f"[agent]\nrun_directory = {directory}/run\n[vault]\naddress = {' '.join(addresses['address'])}\nca_file = {leader.ca_file}\n"
                      f"role_id_file = {write_secret(directory / 'publisher-role-id', publisher['role_id'])}\n"
                      f"secret_id_file = {directory}/publisher-secret-id\n[end]\n")

    def publishes():
        leaf = ca.leaf([NAME])
        leaf.write(directory / NAME)
        return leaf, machine.execute([process.publish_program(), "--config", config, directory / NAME])

    leaf, run = publishes()
    assert run.exit == 0
    made = admin.hands_out("add-server", "web1", NAME, "--secret-id-file", "-")
    machine.asks(**addresses)
    machine.credentials(made["role_id"], made["secret_id"])
    machine.wants(NAME)
    assert machine.sync().exit == 0

    cluster.kills(leader)
    # In the second in which there is no leader: no answer, or already one; what is installed stays.
    run = machine.sync()
    assert run.exit in (0, 3) and machine.installed(NAME).fingerprint == leaf.fingerprint
    assert cluster.leader() is not leader
    leaf, run = publishes()
    assert run.exit == 0 and "published version 2" in run.stderr, run.output
    assert machine.sync().exit == 0
    assert machine.installed(NAME).fingerprint == leaf.fingerprint, "the new one was not taken from the new leader"

    # One of three is no cluster: nothing is written any more. A standby may still answer what is only read.
    cluster.kills(cluster.leader())
    config.write_text(config.read_text().replace("[end]", "timeout = 1s\ndeadline = 2s\n[end]"))
    _, run = publishes()
    assert run.exit == 3, run.output
    machine.asks(timeout="1s", deadline="2s")
    assert machine.sync().exit in (0, 3) and machine.installed(NAME).fingerprint == leaf.fingerprint
