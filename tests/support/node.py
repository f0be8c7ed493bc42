"""A whole machine that Puppet manages: for tests that run inside of tests/acceptance/boot."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
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


def package():
    found = sorted(BUILD.glob("certlet_*.deb"))
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
        modules = self.directory / "modules"
        modules.mkdir()
        (modules / "certlet").symlink_to(ROOT / "puppet-module")
        (self.directory / "confdir").mkdir()
        (self.directory / "hiera.yaml").write_text(json.dumps({
            "version": 5, "hierarchy": [{"name": "all", "path": "all.json", "data_hash": "json_data"}], "defaults": {"datadir": "hiera"}}))
        (self.directory / "hiera").mkdir()

    # Puppet

    def settings(self, **more):
        """Of Hiera: Vault with AppRole, the package of this tree, a timer that is quick; more keys as certificates={…}."""
        said = {"vault": {"address": self.vault.address, "ca_file": self.vault.ca_file},
                "role_id": self.vault.role_id, "secret_id": self.vault.secret_id,
                "package_source": str(package()), "interval": "1h", "splay": "0s", **more}
        return {f"certlet::{key}": value for key, value in said.items() if value is not None}

    def apply(self, code="include certlet", *arguments, **settings):
        """`puppet apply --detailed-exitcodes`: 0 nothing to do, 2 changed, 4 and 6 with failures, 1 no catalog."""
        (self.directory / "hiera/all.json").write_text(json.dumps(self.settings(**settings)))
        return self.execute("puppet", "apply", "--detailed-exitcodes", "--color=false", f"--modulepath={self.directory}/modules",
                            f"--hiera_config={self.directory}/hiera.yaml", f"--confdir={self.directory}/confdir",
                            f"--vardir={self.directory}/vardir", f"--ssldir={self.directory}/ssl",
                            "-e", code, *arguments)

    def execute(self, *command, check=False):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                              env={"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8"})
        print(f"$ {' '.join(map(str, command))}\n{done.stdout}[exit {done.returncode}]")
        assert not check or done.returncode == 0, done.stdout
        return Run(done.returncode, done.stdout, "", 0)

    # Credentials

    def has_puppet_certificate(self, leaf):
        """What a Puppet server would have signed."""
        name = self.execute("puppet", "config", "print", "certname").output.splitlines()[-1]
        for kind, text, mode in (("certs", leaf.cert, 0o644), ("private_keys", leaf.key, 0o600)):
            path = self.directory / "ssl" / kind / f"{name}.pem"
            path.parent.mkdir(parents=True)
            path.write_text(text)
            path.chmod(mode)

    def mints_secret_ids(self):
        """The certlet.yaml of a Puppet server, whose token may ask for wrapped ones of any role, and for no others."""
        mount = self.vault.auth_mount
        self.vault.api("PUT", "sys/policies/acl/puppetserver", {"policy": f"""
            path "auth/{mount}/role/+/secret-id" {{
              capabilities = ["update"] min_wrapping_ttl = "60s" max_wrapping_ttl = "600s" }}"""})
        token = self.directory / "puppetserver-token"
        token.write_text(self.vault.api("POST", "auth/token/create", {"policies": ["puppetserver"]})["auth"]["client_token"])
        token.chmod(0o600)
        (self.directory / "confdir/certlet.yaml").write_text(json.dumps({
            "address": self.vault.address, "ca_file": self.vault.ca_file, "token_file": str(token), "mount": mount,
            "role": self.vault.role}))

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
        self.execute("systemctl", "reload-or-restart", "nginx", check=True)

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
