"""Three OpenBao nodes with integrated storage, made of the sample etc/vault/server-raft.hcl."""

import re

from support import process
from support.bao import ApiError, Bao
from support.ca import CA
from support.process import ROOT

SAMPLE = (ROOT / "etc/vault/server-raft.hcl").read_text()
AUDIT = re.search(r'^audit "file" "certlet" \{\n.*?^\}\n', SAMPLE, re.S | re.M).group()
NAMES = ("vault1", "vault2", "vault3")


class Node(Bao):
    """A node; its configuration is written when the ports of all are known."""

    def __init__(self, directory, name, ca):
        directory.mkdir()
        self.name = name
        super().__init__(directory, storage="raft")
        self.ca = ca
        Bao._configure(self)
        # All would have it at the same place, each on its own host; what the storage says of it has to fit all of them.
        self.audit_file = directory.parent / "audit.log"
        # A new node votes at once, not after having been watched for ten seconds.
        self.environment["BAO_RAFT_AUTOPILOT_DISABLE"] = "1"

    def _configure(self):
        pass

    def configure(self, nodes, audit):
        """The sample, with the places of this test in the place of those of an administrator."""
        text = SAMPLE.replace(AUDIT, AUDIT.replace("/var/log/openbao/audit.log", str(self.audit_file)) if audit else "")
        places = {'node_id = "vault1"': f'node_id = "{self.name}"', "/var/lib/openbao": f"{self.directory}/data",
                  '\napi_addr     = "https://vault1.example.com:8200"': f'\napi_addr = "{self.address}"',
                  "https://vault1.example.com:8201": f"https://127.0.0.1:{self.cluster_port}",
                  "0.0.0.0:8200": f"127.0.0.1:{self.port}", "0.0.0.0:8201": f"127.0.0.1:{self.cluster_port}",
                  "/etc/openbao/tls/ca.pem": self.ca_file, "/etc/openbao/tls": f"{self.directory}/tls"}
        places |= {f"https://{node.name}.example.com:8200": node.address for node in nodes}
        for sample, here in places.items():
            assert sample in text, f"the sample has no {sample}"
            text = text.replace(sample, here)
        assert "example.com" not in text
        (self.directory / "bao.hcl").write_text(text)

    def joins(self, first):
        """Takes part in the cluster, which it has found by retry_join."""
        self.root_token, self.unseal_key = first.root_token, first.unseal_key
        self.unseal()

    def unseal(self):
        process.wait_until(lambda: self.api("GET", "sys/seal-status")["initialized"], 20, f"{self.name} to find the others")
        self.api("PUT", "sys/unseal", {"key": self.unseal_key})
        process.wait_until(self._follows, 20, f"{self.name} to know a leader")

    def _follows(self):
        try:
            leader = self.api("GET", "sys/leader")
        except (ApiError, OSError):
            return False
        return leader["is_self"] or leader.get("leader_address", "") != ""

    def leads(self):
        try:
            return self.process is not None and self.api("GET", "sys/leader")["is_self"]
        except (ApiError, OSError):
            return False


class Cluster:
    def __init__(self, directory, audit=True):
        ca = CA("certlet test Vault CA")
        self.nodes = [Node(directory / name, name, ca) for name in NAMES]
        for node in self.nodes:
            node.configure(self.nodes, audit)

    def start(self):
        first, *others = self.nodes
        first.start()
        process.wait_until(first.leads, 20, "the first node to lead")
        for node in others:
            node.boot()
        for node in others:  # one after the other: two that nobody can hear yet would outvote the first
            node.joins(first)
        process.wait_until(lambda: self.voters() == len(self.nodes), 30, "all nodes to have a vote")
        return self

    def stop(self):
        for node in self.nodes:
            node.stop()

    def leader(self):
        """The node that leads; waits for one."""
        return process.wait_until(lambda: next((node for node in self.nodes if node.leads()), None), 30, "a leader")

    def voters(self):
        try:
            servers = self.nodes[0].api("GET", "sys/storage/raft/configuration")["data"]["config"]["servers"]
        except (ApiError, OSError):  # between two leaders, nobody knows
            return 0
        return sum(server["voter"] for server in servers)

    def addresses(self, first):
        """All of them, as in a manifest, that one in front."""
        return [first.address] + [node.address for node in self.nodes if node is not first]

    def kills(self, node):
        """As a power cut would."""
        node.process.kill()
        node.process.wait()
        node.process = None
