"""A node of a real Puppet server: for tests that run inside of tests/acceptance/puppetserver/beside."""

import json
import shutil
import subprocess
from pathlib import Path

from support.node import BEFORE, CHANGES, Node
from support.process import BUILD, wait_until

SHARED = BUILD  # see tests/acceptance/puppetserver/serve
NAME = "web1.example.com"
CATALOG = f"/var/cache/puppet/client_data/catalog/{NAME}.json"


def is_there():
    return (SHARED / "environments").exists()


def enrol():
    """This machine is a node of the server's from now on, with a certificate of its."""
    wait_until(lambda: (SHARED / "ready").exists() or (SHARED / "failed").exists(), 600, "the Puppet server")
    assert (SHARED / "ready").exists(), f"the Puppet server did not start: {SHARED}/server.log, {SHARED}/log/"
    for key, value in (("server", "localhost"), ("certname", NAME)):
        subprocess.run(["puppet", "config", "set", "--section", "main", key, value], check=True)
    subprocess.run(["puppet", "ssl", "bootstrap"], check=True)


class ManagedNode(Node):
    def __init__(self, *what):
        super().__init__(*what)
        self.server_confdir = SHARED / "confdir"

    def _environment(self):
        made = super()._environment()
        shown = SHARED / "environments/production"
        shutil.rmtree(shown, ignore_errors=True)
        return shutil.copytree(made, shown, symlinks=True)

    def run_puppet(self, *arguments):
        """`puppet agent --test`, which has --verbose, --show_diff and --detailed-exitcodes in it."""
        return self.execute("puppet", "agent", "--test", "--color=false", *arguments)

    def is_enrolled(self, name):
        assert name == NAME

    @staticmethod
    def trusted_roots():
        """What the Puppet server's own CA consists of."""
        return Path("/var/lib/puppet/ssl/certs/ca.pem").read_text()

    @staticmethod
    def in_catalog(path):
        """The content of that file in the catalog that this node keeps."""
        resources = json.loads(Path(CATALOG).read_text())["resources"]
        return next(one for one in resources if one["title"] == path)["parameters"]["content"]

    def told(self, text):
        """Where that text is: files that this machine changed, its journal, the server's reports and log."""
        own = [path for path in Path("/run").iterdir() if path.is_dir() and str(path) not in (CHANGES, BEFORE)]
        found = self.contain(text, Path(CHANGES), *own, SHARED / "reports", SHARED / "log")
        journal = subprocess.run(["journalctl", "--no-pager", "--all", "--output=cat"], stdout=subprocess.PIPE, text=True, check=True)
        return {str(path).removeprefix(CHANGES) for path in found} | ({"the journal"} if text in journal.stdout else set())
