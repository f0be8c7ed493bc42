"""A whole machine that Puppet manages: for tests that run inside of tests/acceptance/boot."""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

from support import process
from support.machine import Installed, Run
from support.process import BUILD, ROOT
from support.programs import served_fingerprint

PORT = 8443

# What differs without certlet's doing: logs, records of the package manager, what is rewritten by every tool that touches users.
IGNORED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/dpkg", "/var/lib/apt", "/var/lib/nginx",
           "/var/lib/systemd/random-seed", "/var/lib/systemd/timers", "/boot.sh", "/boot.out", "/root", "/etc/ld.so.cache",
           "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-", "/etc/.pwd.lock")


# Of tests/acceptance/boot: what this machine changed, and the root below.
CHANGES, BEFORE = "/run/changes", "/run/before"


def is_expendable():
    return os.path.exists("/boot.sh") and os.path.exists("/run/systemd/system")


def package(name="certlet"):
    found = sorted(BUILD.glob(f"{name}_*.deb"))
    assert len(found) == 1, "make -C build deb comes first"
    return found[0]


def facts():
    """{path: (kind, owner, group, mode, content)} of what this machine changed since it was booted; None: it is gone."""
    mounted = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()} - {"/"}
    left_out = mounted | set(IGNORED) | {str(ROOT), str(BUILD)}
    found = {}
    for top, directories, files in os.walk(CHANGES):
        base = top.removeprefix(CHANGES) + "/"
        directories[:] = [name for name in directories if base + name not in left_out]
        # A directory that was removed and made again hides what was in it.
        hidden = _names(BEFORE + base) - _names(base)
        found.update((base + name, _fact(base + name)) for name in {*directories, *files, *hidden} if base + name not in left_out)
    found.update((str(path), _fact(path)) for path in Path("/run").glob("certlet*"))
    return found


def _names(directory):
    return set(os.listdir(directory)) if os.path.isdir(directory) else set()


def _fact(path, root=""):
    found = root + str(path)
    if not os.path.lexists(found):
        return None
    about = os.lstat(found)
    content = None
    if stat.S_ISLNK(about.st_mode):
        content = os.readlink(found)
    elif stat.S_ISREG(about.st_mode):
        content = hashlib.sha256(Path(found).read_bytes()).hexdigest() if str(path).startswith("/etc/") else about.st_size
    return stat.S_IFMT(about.st_mode), about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode), content


class Node:
    def __init__(self, directory, vault, ca, before):
        self.directory, self.vault, self.ca, self.before = Path(directory), vault, ca, before
        self._vhosts = Path("/etc/nginx/conf.d/acceptance.conf")
        self._names = []
        self.environment = self._environment()
        self.server_confdir = self.directory / "confdir"
        self.server_confdir.mkdir(exist_ok=True)

    def _environment(self):
        """A directory of Puppet code: modules, manifests, and Hiera with a layer for the site above the one of apply()."""
        top = self.directory / "environment"
        for name in ("modules", "manifests", "hiera"):
            (top / name).mkdir(parents=True)
        (top / "modules/certlet").symlink_to(ROOT / "puppet-module")
        (top / "hiera.yaml").write_text(json.dumps({
            "version": 5, "hierarchy": [{"name": "all", "paths": ["site.yaml", "all.yaml"], "data_hash": "yaml_data"}],
            "defaults": {"datadir": "hiera"}}))
        return top

    # Puppet

    def settings(self, **more):
        """Of Hiera: Vault with AppRole, the package of this tree, a timer that is quick; more keys as certificates={…}."""
        said = {"vault": {"address": self.vault.address, "ca_file": self.vault.ca_file},
                "role_id": self.vault.role_id, "secret_id": self.vault.secret_id,
                "package_source": str(package()), "interval": "1h", "splay": "0s", **more}
        return {f"certlet::{key}": value for key, value in said.items() if value is not None}

    def apply(self, code="include certlet", *arguments, **settings):
        """With --detailed-exitcodes: 0 nothing to do, 2 changed, 4 and 6 with failures, 1 no catalog."""
        (self.environment / "hiera/all.yaml").write_text(json.dumps(self.settings(**settings)))
        (self.environment / "manifests/site.pp").write_text(code)
        return self.run_puppet(*arguments)

    def run_puppet(self, *arguments):
        """`puppet apply` of the manifest of the site, as strict as it can be."""
        return self.execute("puppet", "apply", "--detailed-exitcodes", "--color=false", "--strict=error", "--strict_variables",
                            f"--modulepath={self.environment}/modules", f"--hiera_config={self.environment}/hiera.yaml",
                            f"--confdir={self.directory}/confdir", f"--vardir={self.directory}/vardir", f"--ssldir={self.directory}/ssl",
                            self.environment / "manifests/site.pp", *arguments)

    def execute(self, *command, check=False, **environment):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                              env={"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", **environment})
        print(f"$ {' '.join(map(str, command))}\n{done.stdout}[exit {done.returncode}]")
        assert not check or done.returncode == 0, done.stdout
        return Run(done.returncode, done.stdout, "", 0)

    # Credentials

    def has_puppet_certificate(self, leaf):
        """What a Puppet server would have signed."""
        name = self.execute("puppet", "config", "print", "certname", f"--confdir={self.server_confdir}").output.splitlines()[-1]
        for kind, text, mode in (("certs", leaf.cert, 0o644), ("private_keys", leaf.key, 0o600)):
            path = self.directory / "ssl" / kind / f"{name}.pem"
            path.parent.mkdir(parents=True)
            path.write_text(text)
            path.chmod(mode)

    def is_enrolled(self, name):
        """Its name to Puppet, whose CA has signed a certificate with it."""
        (self.server_confdir / "puppet.conf").write_text(f"[main]\ncertname = {name}\n")
        self.has_puppet_certificate(self.ca.leaf([name], intermediates=0, usage="client"))
        roots = Path(self.execute("puppet", "config", "print", "localcacert").output.strip())
        roots.parent.mkdir(parents=True, exist_ok=True)
        roots.write_text(self.ca.root_pem)

    def mints_secret_ids(self):
        """A Puppet server whose token may ask for wrapped ones of any role, and for no others."""
        mount = self.vault.auth_mount
        self.vault.api("PUT", "sys/policies/acl/puppetserver", {"policy": f"""
            path "auth/{mount}/role/+/secret-id" {{
              capabilities = ["update"] min_wrapping_ttl = "60s" max_wrapping_ttl = "600s" }}"""})
        self.configures_server(f"address: {self.vault.address}\ntoken_file: certlet.token\nmount: {mount}\nrole: {self.vault.role}\n")

    def configures_server(self, settings):
        """certlet.yaml, with a token of the policy `puppetserver`, and the CA that Vault's certificate is of."""
        made = self.vault.api("POST", "auth/token/create", {"policies": ["puppetserver"]})
        ca_file = self.server_confdir / "vault-ca.pem"
        settings = re.sub("token_file: (.*/)?", f"token_file: {self.server_confdir}/", settings) + f"ca_file: {ca_file}\n"
        for name, text in (("certlet.token", made["auth"]["client_token"]), ("certlet.yaml", settings),
                           (ca_file.name, Path(self.vault.ca_file).read_text())):
            path = self.server_confdir / name
            path.touch(mode=0o600)
            path.write_text(text)
            os.chown(path, self.server_confdir.stat().st_uid, -1)

    def secret_ids(self):
        """Accessors of all that the role has."""
        return self.vault.api("LIST", f"auth/{self.vault.auth_mount}/role/{self.vault.role}/secret-id")["data"]["keys"]

    @staticmethod
    def status():
        return json.loads(Path("/var/lib/certlet/status.json").read_text())

    @staticmethod
    def contain(text, *directories):
        """The files below them with that text in them."""
        return [path for directory in directories for path in directory.rglob("*")
                if path.is_file() and text.encode() in path.read_bytes()]

    # nginx

    def nginx(self, *names):
        """nginx serves these on one port, from certlet's files; they have to be there."""
        self._names = list(names)
        live = "/etc/certlet/live"
        self._vhosts.write_text("".join(
            f"server {{ listen 127.0.0.1:{PORT} ssl; server_name {name};\n"
            f"  ssl_certificate {live}/{name}/fullchain.pem; ssl_certificate_key {live}/{name}/privkey.pem; }}\n" for name in names))
        for _ in range(3):  # its first start has failed, on a machine that just booted and had much to do
            if self.execute("systemctl", "reload-or-restart", "nginx").exit == 0:
                return
            print(self.execute("journalctl", "--unit=nginx", "--lines=20", "--no-pager").output)
            time.sleep(2)
        raise AssertionError("nginx does not start")

    def stops_nginx(self):
        self.execute("systemctl", "stop", "nginx")
        self._vhosts.unlink(missing_ok=True)

    def served(self, name):
        return served_fingerprint(PORT, name)

    def comes_to_serve(self, name, leaf, seconds=30):
        process.wait_until(lambda: self.served(name) == leaf.fingerprint, seconds, f"nginx to serve the new {name}")

    # What is there

    def installed(self, name):
        return Installed(Path("/etc/certlet/live"), name)

    @staticmethod
    def path(path):
        return Path(path)

    @staticmethod
    def holds(name):
        """Paths of certlet's with that name in them."""
        return [path for top in ("/etc/certlet", "/var/lib/certlet") for path in Path(top).rglob(f"*{name}*")]

    def differences(self):
        """What is not as it was before certlet ever came."""
        was = {path: self.before[path] if path in self.before else _fact(path, BEFORE) for path in self.before | facts()}
        return {path: (fact, _fact(path)) for path, fact in was.items() if fact != _fact(path)}

    def clean_up(self):
        """Whatever a test left: by the shortest way, not by the module."""
        self.execute("systemctl", "stop", "certlet.timer", "certlet.service")
        self.stops_nginx()
        if Path("/var/lib/dpkg/info/certlet.list").exists():
            self.execute("dpkg", "--purge", "certlet")
        for path in ("/etc/certlet", "/var/lib/certlet", "/run/certlet", "/etc/systemd/system/certlet.timer.d",
                     "/run/systemd/system/certlet.timer.d"):
            shutil.rmtree(path, ignore_errors=True)
        Path("/etc/systemd/system/timers.target.wants/certlet.timer").unlink(missing_ok=True)
        self.execute("systemctl", "daemon-reload")
