"""The README of the module, as it stands: each block of it is done in its turn, as a newcomer would."""

import re
import shutil
from pathlib import Path

import pytest

from support import process
from support.node import facts, package
from support.process import ROOT
from support.programs import served_fingerprint

README = (ROOT / "puppet-module/README.md").read_text()
NAME, NODE = "www.example.com", "web1.example.com"
VAULT = "[https://vault1.example.com:8200, https://vault2.example.com:8200]"


def blocks(title):
    """[(language, text)] of the section with that title."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.S | re.M).group(1)
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.S | re.M)


class Newcomer:
    """Writes what the README says to where Puppet looks for it, and types its commands."""

    def __init__(self, node, environment):
        self.node, self.environment = node, environment
        self.manifests = node.environment / "modules/profile/manifests"
        self.manifests.mkdir(parents=True)

    def runs_puppet(self, code="include profile::www"):
        return self.node.apply(code, vault={"ca_file": self.node.vault.ca_file}, role_id=None, secret_id=None).exit

    def does(self, language, text):
        """One block; the exit code of Puppet, if it was run."""
        if text == "puppet agent --test\n":
            return self.runs_puppet()
        if language == "sh":
            self.node.execute("sh", "-euc", text, check=True, **self.environment)
        elif language == "puppet":
            name = re.search(r"^class profile::(\w+)", text).group(1)
            (self.manifests / f"{name}.pp").write_text(text)
        elif text.startswith("certlet::"):
            # A key of Hiera that is written again takes the place of the one before.
            (self.node.environment / "hiera/site.yaml").write_text(text.replace(VAULT, f"[{self.node.vault.address}]"))
        else:
            self.node.configures_server(text.replace(VAULT.strip("[]").partition(",")[0], self.node.vault.address))
        return None

    def follows(self, title):
        """Every block of the section; the exit codes of Puppet's runs."""
        return [code for block in blocks(title) if (code := self.does(*block)) is not None]


@pytest.fixture
def newcomer(node):
    """An administrator's shell: `bao` and `certlet-publish` at hand, Vault as root; the roots of both are the machine's."""
    tools = node.directory / "tools"
    node.execute("dpkg-deb", "--extract", package("certlet-issuer"), tools, check=True)
    (tools / "usr/sbin/bao").symlink_to(process.bao_program())
    roots = Path("/usr/local/share/ca-certificates/acceptance.crt")
    roots.write_text(node.ca.root_pem)
    node.execute("update-ca-certificates", check=True)
    node.is_enrolled(NODE)
    node.before = facts()
    yield Newcomer(node, {"PATH": f"{tools}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "BAO_ADDR": node.vault.address,
                          "BAO_CACERT": node.vault.ca_file, "BAO_TOKEN": node.vault.bao.root_token})
    roots.unlink()
    node.execute("update-ca-certificates", check=True)


@pytest.fixture
def lineage(node):
    """What certbot keeps of the certificate."""
    path = Path(f"/etc/letsencrypt/live/{NAME}")
    leaf = node.ca.leaf([NAME, f"*.{NAME.partition('.')[2]}"])
    leaf.write(path)
    yield leaf
    shutil.rmtree("/etc/letsencrypt")


def test_who_follows_it_serves_a_certificate_and_comes_back_to_nothing(node, lineage, newcomer):
    assert newcomer.follows("From an empty Hiera to a served certificate") == [2]
    assert served_fingerprint(443, NAME) == lineage.fingerprint
    assert node.run_puppet().exit == 0
    assert newcomer.follows("And back to nothing") == [2]
    assert node.run_puppet().exit == 0
    node.stops_nginx()
    assert node.differences() == {}


def test_who_has_the_server_wrap_secret_ids_needs_no_more_than_it_says(node, lineage, newcomer):
    node.vault.api("DELETE", "sys/auth/approle")
    for block in blocks("From an empty Hiera to a served certificate")[:2]:
        newcomer.does(*block)
    newcomer.follows("Credentials")
    assert newcomer.runs_puppet("include certlet") == 2
    assert node.installed(NAME).fingerprint == lineage.fingerprint


def test_the_examples_for_other_programs_make_a_catalog(node):
    (_, examples), = blocks("Other programs")
    (node.environment / "hiera/site.yaml").write_text(examples)
    run = node.apply("include certlet", "--noop")
    assert run.exit == 0 and "shop.example.com" not in run.output
