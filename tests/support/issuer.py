"""An issuing host and a server of its certificates on one machine, set up as README.md says: for tests/acceptance/boot."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from cryptography import x509

from support import process
from support.bao import ApiError, Bao
from support.ca import fingerprint
from support.internet import PARENT, ZONE, Internet
from support.machine import Run
from support.programs import served_fingerprint

TITLE = "## From nothing to the first domain in production\n"
DOMAIN, SERVER = ZONE, f"www1.{ZONE}"


def page_of_the_readme():
    """All commands of the page, in their order."""
    _, title, rest = (process.ROOT / "README.md").read_text().partition(TITLE)
    assert title, "README.md has no such page"
    return re.findall(r"^```sh\n(.*?)^```\n", rest.partition("\n## ")[0], re.S | re.M)


class Issuer:
    """issuer.page: how running the page of README.md ended."""

    def __init__(self, directory):
        self.directory = Path(directory)
        for name in ("internet", "bao", "home"):
            (self.directory / name).mkdir()
        # Where commands run there is a file whose name a wildcard would take for its own.
        (self.directory / "home" / f"www.{DOMAIN}").touch()
        self.internet = Internet(self.directory / "internet")
        self.bao = Bao(self.directory / "bao")
        self.page = None

    def start(self):
        self.internet.start()
        self.bao.start()
        Path("/usr/local/bin/bao").symlink_to(process.bao_program())
        Path("/root/.vault-token").write_text(self.bao.root_token)  # the administrator has logged in
        ca_file = shutil.copy(self.internet.ca_file, "/root/acme-ca.pem")
        settings, *rest = page_of_the_readme()
        for name, value in {
                "domain": DOMAIN, "server": SERVER, "name_server": f"acme-ns.{ZONE}",
                "parent": f"'{ZONE} {PARENT} {self.internet.delegation_key}'", "vault": self.bao.address,
                "vault_ca": self.bao.ca_file, "acme": self.internet.ca_url, "acme_ca": ca_file}.items():
            settings, found = re.subn(rf"^{name}=('[^']*'|\S*)", f"{name}={value}", settings, flags=re.M)
            assert found == 1, f"the page does not set {name}"
        script = self.directory / "page.sh"
        script.write_text("\n".join([settings, *rest]))
        self.page = self.ended(self.start_command("sh", "-eux", script, cwd=process.ROOT))
        return self

    def stop(self):
        self.bao.stop()
        self.internet.stop()

    # Commands

    def start_command(self, *command, cwd=None):
        return subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=cwd or self.directory / "home",
            env={"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})

    def run(self, *command):
        return self.ended(self.start_command(*command))

    @staticmethod
    def ended(running):
        stdout, stderr = running.communicate(timeout=300)
        print(f"$ {' '.join(running.args)}\n{stdout}{stderr}[exit {running.returncode}]")
        return Run(running.returncode, stdout, stderr, 0)

    def issue(self, *arguments, **settings):
        """certlet-issue, with these settings in place of those of issuer.conf."""
        return self.run("certlet-issue", "--config", self.settings(**settings), *arguments)

    def settings(self, **changes):
        if not changes:
            return "/etc/certlet/issuer.conf"
        kept = [line for line in Path("/etc/certlet/issuer.conf").read_text().splitlines() if line.partition("=")[0] not in changes]
        path = self.directory / "other-issuer.conf"
        path.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in changes.items()), ""]))
        return path

    def service(self, name):
        """Runs a one-shot unit; 0 when it succeeded. Its words are in .output."""
        done = self.run("systemctl", "start", f"{name}.service")
        words = self.run("journalctl", "--no-pager", "--quiet", "-o", "cat", "-n", "30", "-u", f"{name}.service")
        return Run(done.exit, words.stdout, "", 0)

    # What is where

    @staticmethod
    def obtained(domain=DOMAIN):
        """The fingerprint of what certbot has; None when it has nothing."""
        path = Path(f"/etc/letsencrypt/live/{domain}/cert.pem")
        return fingerprint(x509.load_pem_x509_certificate(path.read_bytes())) if path.exists() else None

    def published(self, domain=DOMAIN):
        """The fingerprint of what Vault has, and its version; (None, 0)."""
        try:
            secret = self.bao.api("GET", f"secret/data/certs/{domain}")["data"]
        except ApiError as error:
            assert error.code == 404, error
            return None, 0
        leaf = x509.load_pem_x509_certificate(secret["data"]["cert"].encode())
        return fingerprint(leaf), secret["metadata"]["version"]

    @staticmethod
    def served(domain=DOMAIN):
        return served_fingerprint(443, domain)

    def comes_to_serve(self, wanted, domain=DOMAIN):
        process.wait_until(lambda: self.served(domain) == wanted, 10, f"nginx to serve the new {domain}")

    def delegated(self, domain):
        """The name servers as the whole world sees them."""
        return self.internet.dig("NS", f"_acme-challenge.{domain}")
