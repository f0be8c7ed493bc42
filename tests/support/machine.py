"""A server as certlet sees it, in one temporary directory: manifest, credentials, services, what is installed."""

import json
import os
import shlex
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from support import ca as ca_module
from support import process

# A service's programs are this script under three names. It notes that it was called, and fails when it was broken.
SCRIPT = """#!/bin/sh
# what: test, reload or active
what=${{0##*/}}
here={here}
if [ -e "$here/slow-$what" ]; then sleep "$(cat "$here/slow-$what")"; fi
if [ -e "$here/broken-$what" ]; then
	echo "$what failed" >> "$here/log"
	cat "$here/broken-$what" >&2
	exit 1
fi
for bad in "$here/rejects-$what"/*; do
	for live in {live}/*/cert.pem; do
		if cmp -s "$bad" "$live"; then
			echo "$what failed" >> "$here/log"
			echo "$what: I do not like $live" >&2
			exit 1
		fi
	done
done
echo "$what" >> "$here/log"
exit 0
"""


@dataclass
class Run:
    """What one run of a program came to."""

    exit: int
    stdout: str
    stderr: str
    seconds: float
    command: list = field(repr=False, default_factory=list)

    @property
    def output(self):
        return self.stdout + self.stderr


class Installed:
    """
    A generation read the way a careful program does: live/NAME opened once, the files through that descriptor.
    Attributes: directory generation files{name: text} modes{name: int} origin_text certificate names fingerprint
    serial not_after version matches, and cert chain fullchain privkey combined (None when absent).
    """

    def __init__(self, live, name):
        self.path = live / name
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.directory = Path(os.readlink(f"/proc/self/fd/{handle}"))
            self.generation = int(self.directory.name) if self.directory.name.isdigit() else None
            self.files, self.facts = {}, {}
            for entry in os.listdir(handle):
                file = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=handle)
                with os.fdopen(file, "rb") as content:
                    self.facts[entry] = os.fstat(file)
                    self.files[entry] = content.read().decode()
        finally:
            os.close(handle)
        self.certificate = x509.load_pem_x509_certificate(self.files["cert.pem"].encode())

    def __getattr__(self, name):
        if name in ("cert", "chain", "fullchain", "privkey", "combined"):
            return self.files.get(f"{name}.pem")
        raise AttributeError(name)

    @property
    def modes(self):
        return {name: stat.S_IMODE(facts.st_mode) for name, facts in self.facts.items()}

    @property
    def inodes(self):
        """{file: (inode, mtime)}: the same after a run means: not touched."""
        return {name: (facts.st_ino, facts.st_mtime_ns) for name, facts in self.facts.items()}

    @property
    def fingerprint(self):
        return ca_module.fingerprint(self.certificate)

    @property
    def serial(self):
        return f"{self.certificate.serial_number:x}"

    @property
    def names(self):
        extension = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return [str(name.value) for name in extension.value]

    @property
    def not_after(self):
        return self.certificate.not_valid_after_utc

    @property
    def origin_text(self):
        return self.files.get("origin", "")

    @property
    def origin(self):
        """What the generation says of itself: the JSON object in its file `origin`."""
        return json.loads(self.origin_text) if self.origin_text else {}

    @property
    def version(self):
        """The version of the secret that the generation says it is."""
        return self.origin.get("version", 0)

    @property
    def matches(self):
        """Do certificate, key, fullchain and combined belong together?"""
        key = serialization.load_pem_private_key(self.privkey.encode(), None)
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if key.public_key().public_bytes(*form) != self.certificate.public_key().public_bytes(*form):
            return False
        if self.fullchain != self.cert + self.chain:
            return False
        return self.combined in (None, self.privkey + self.cert + self.chain)


class Machine:
    """The fixture `server`; see tests/system/conftest.py for the vocabulary."""

    def __init__(self, directory, vault=None, ca=None):
        self.directory = Path(directory)
        self.ca = ca
        self.etc = self.directory / "etc"
        self.live, self.archive = self.etc / "live", self.etc / "archive"
        self.state_directory, self.run_directory = self.directory / "state", self.directory / "run"
        self.manifest = self.etc / "manifest.ini"
        self.services_directory = self.directory / "services"
        for path in (self.etc, self.services_directory, self.directory / "home"):
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.vault = vault
        self.vault_keys, self.agent_keys = {}, {}
        self.certificates, self.services = {}, {}
        self._text = None
        self._positions = {}
        self.last = None
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": str(self.directory / "home"),
                            **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}
        self.agent_keys.update(directory=self.etc, state_directory=self.state_directory, run_directory=self.run_directory)
        if os.geteuid() == 0:
            self.agent_keys["user"] = "nobody"
        if vault is not None:
            self.uses(vault)

    # What the administrator writes

    def uses(self, vault):
        """Takes address, mounts and AppRole credentials of this Vault (or stand-in)."""
        self.vault = vault
        self.vault_keys = dict(vault.manifest_keys())
        self.credentials(vault.role_id, vault.secret_id)

    def credentials(self, role_id=None, secret_id=None):
        """Writes role-id and secret-id; None leaves a file as it is."""
        for name, text in (("role-id", role_id), ("secret-id", secret_id)):
            if text is not None:
                path = self.etc / name
                path.touch(mode=0o600)
                path.chmod(0o600)
                path.write_text(text + "\n")
                self.vault_keys.setdefault(f"{name.replace('-', '_')}_file", path)

    def asks(self, **keys):
        """Keys of [vault]; None takes one out: server.asks(auth="token", token_file=…)."""
        self._update(self.vault_keys, keys)

    def agent(self, **keys):
        """Keys of [agent]."""
        self._update(self.agent_keys, keys)

    def wants(self, name, **keys):
        """A [certificate NAME] section; said again, the keys are added. Unknown services get working scripts."""
        self._update(self.certificates.setdefault(name, {}), keys)
        services = keys.get("services") or []
        for service in services.split() if isinstance(services, str) else services:
            if service not in self.services:
                self.service(service)

    def unwants(self, *names):
        """Takes sections out: certlet is to delete these."""
        for name in names:
            del self.certificates[name]

    def writes(self, text):
        """The manifest is exactly this text from now on; None: made from the sections again."""
        self._text = text

    def service(self, name, **keys):
        """A [service NAME] section whose test, reload and active are scripts of ours, unless given (None: no such key)."""
        here = self.services_directory / name
        for what in ("test", "reload", "active"):
            (here / f"rejects-{what}").mkdir(parents=True, exist_ok=True)
            script = here / what
            script.write_text(SCRIPT.format(here=shlex.quote(str(here)), live=shlex.quote(str(self.live))))
            script.chmod(0o755)
        section = self.services.setdefault(name, {what: here / what for what in ("test", "reload", "active")})
        self._update(section, keys)

    def removes_service(self, name):
        del self.services[name]

    def manifest_text(self):
        if self._text is not None:
            return self._text
        sections = [("vault", self.vault_keys), ("agent", self.agent_keys)]
        sections += [(f"certificate {name}", keys) for name, keys in self.certificates.items()]
        sections += [(f"service {name}", keys) for name, keys in self.services.items()]
        text = ""
        for title, keys in sections:
            text += f"[{title}]\n" + "".join(f"{key} = {self._value(value)}\n" for key, value in keys.items()) + "\n"
        return text + "[end]\n"

    def write_manifest(self):
        text = self.manifest_text()
        if not self.manifest.exists() or self.manifest.read_text() != text:
            self.manifest.write_text(text)

    @staticmethod
    def _update(section, keys):
        for key, value in keys.items():
            if value is None:
                section.pop(key, None)
            else:
                section[key] = value

    @staticmethod
    def _value(value):
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, (list, tuple)):
            return "\n    ".join(str(item) for item in value) if len(value) > 3 else " ".join(map(str, value))
        return str(value)

    # What goes wrong with services

    def breaks(self, service, what="reload", words="it is broken"):
        """test, reload or active of this service fails from now on, saying `words`."""
        (self.services_directory / service / f"broken-{what}").write_text(words + "\n")

    def mends(self, service):
        """Everything breaks(), rejects() and slows() did is undone."""
        here = self.services_directory / service
        for path in [*here.glob("broken-*"), *here.glob("slow-*"), *here.glob("rejects-*/*")]:
            path.unlink()

    def rejects(self, service, leaf, what="test"):
        """test (or reload) fails as long as this leaf is live under any name."""
        (self.services_directory / service / f"rejects-{what}" / leaf.fingerprint).write_text(leaf.cert)

    def slows(self, service, what="reload", seconds=60):
        (self.services_directory / service / f"slow-{what}").write_text(f"{seconds}\n")

    def halts(self, service):
        """The service does not run (active fails); starts(service) undoes it."""
        self.breaks(service, "active", "inactive")

    def starts(self, service):
        (self.services_directory / service / "broken-active").unlink(missing_ok=True)

    def calls(self, service, since="last"):
        """The calls of the last run (since="start": of all) as words: ["active", "test", "reload", "test failed"]."""
        log = self.services_directory / service / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return lines[self._positions.get(service, 0) if since == "last" else 0:]

    def reloads(self, service, since="last"):
        """How many reloads were tried."""
        return sum(call.split()[0] == "reload" for call in self.calls(service, since))

    def tests(self, service, since="last"):
        return sum(call.split()[0] == "test" for call in self.calls(service, since))

    # Runs

    def sync(self, *arguments, **options):
        """`certlet --sync …`; the counters of vault.requests() and server.calls() begin anew."""
        return self.run("--sync", *arguments, **options)

    def command(self, *arguments, under=()):
        return [*map(str, under), process.certlet_program(), "--manifest", str(self.manifest), *map(str, arguments)]

    def run(self, *arguments, env=None, under=(), timeout=120, stdin=None):
        """
        Runs certlet on this machine's manifest to its end. env: added to a clean environment; under: a program to
        run it with, ["strace", "-f", "-o", file].
        """
        self._begin()
        return self.execute(self.command(*arguments, under=under), self._traced(under) | (env or {}), timeout, stdin)

    def start(self, *arguments, env=None, under=(), **options):
        """Starts certlet and returns the Popen, for tests that kill it. In its own process group."""
        self._begin()
        command = self.command(*arguments, under=under)
        return subprocess.Popen(
            command, env=self.environment | self._traced(under) | (env or {}), cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.DEVNULL), stderr=options.pop("stderr", subprocess.DEVNULL),
            preexec_fn=process.die_with_parent, process_group=0, **options)

    def _traced(self, under):
        """The leak check of AddressSanitizer is a tracer itself, and fails under another one."""
        options = self.environment.get("ASAN_OPTIONS")
        return {"ASAN_OPTIONS": f"{options}:detect_leaks=0"} if options and under else {}

    def execute(self, command, env=None, timeout=120, stdin=None):
        """Any program in this machine's environment."""
        begin = time.monotonic()
        done = subprocess.run(
            [str(word) for word in command], env=self.environment | (env or {}), cwd=self.directory,
            input=stdin or "", capture_output=True, text=True, errors="replace", timeout=timeout,
            preexec_fn=process.die_with_parent)
        self.last = Run(done.returncode, done.stdout, done.stderr, time.monotonic() - begin, command)
        # Shown by pytest only when the test fails.
        print(f"$ {shlex.join(map(str, command))}\n{self.last.output}[exit {self.last.exit}]", file=sys.stderr)
        return self.last

    def publish(self, *arguments, env=None, token=None):
        """`certlet-publish …` with the publisher's own token and this machine's [vault] section."""
        config = self.etc / "publish.ini"
        keys = {key: value for key, value in self.vault_keys.items()
                if key in ("address", "ca_file", "namespace", "kv_mount", "timeout", "deadline")}
        token_file = self.etc / "publisher-token"
        token_file.touch(mode=0o600)
        token_file.write_text((token or self.vault.publisher_token()) + "\n")
        keys.update(auth="token", token_file=token_file)
        config.write_text("[vault]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                          + f"[agent]\nrun_directory = {self.run_directory}\n[end]\n")
        return self.execute([process.publish_program(), "--config", config, *arguments], env)

    def _begin(self):
        self.write_manifest()
        if hasattr(self.vault, "mark"):
            self.vault.mark()
        for service in self.services:
            self._positions[service] = len(self.calls(service, since="start"))

    # What is there afterwards

    def installed(self, name):
        """The live generation of NAME, or None."""
        if not (self.live / name).is_symlink():
            return None
        return Installed(self.live, name)

    def generations(self, name):
        """The numbers of the generations kept for NAME."""
        folder = self.archive / name
        return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []

    def status(self):
        """status.json, parsed; None when there is none."""
        path = self.state_directory / "status.json"
        return json.loads(path.read_text()) if path.exists() else None

    def certificate_status(self, name):
        """The entry of status.json for NAME, or None."""
        return next((one for one in (self.status() or {}).get("certificates", []) if one["name"] == name), None)

    def service_status(self, name):
        return next((one for one in (self.status() or {}).get("services", []) if one["name"] == name), None)

    def files(self):
        """{relative path: (kind, inode, mode, mtime, size or target)} of everything under etc, state and run."""
        facts = {}
        for top in (self.etc, self.state_directory, self.run_directory):
            for folder, folders, files in os.walk(top):
                for name in folders + files:
                    path = Path(folder, name)
                    info = path.lstat()
                    extra = os.readlink(path) if path.is_symlink() else info.st_size if path.is_file() else None
                    facts[str(path.relative_to(self.directory))] = (
                        stat.S_IFMT(info.st_mode), info.st_ino, stat.S_IMODE(info.st_mode),
                        None if path.is_dir() and not path.is_symlink() else info.st_mtime_ns, extra)
        return facts

    def holds(self, text):
        """Files under etc/archive, state and run that contain this text (secrets must be in none but their own)."""
        found = []
        for top in (self.etc, self.state_directory, self.run_directory):
            for folder, _, files in os.walk(top):
                for name in files:
                    path = Path(folder, name)
                    if path.is_file() and not path.is_symlink() and text.encode() in path.read_bytes():
                        found.append(str(path.relative_to(self.directory)))
        return found
