"""
What an issuing host meets outside: the DNS of others and an ACME CA. Real ones, BIND and Pebble, in a network of their own.

    parent     authoritative for the root, example.test and elsewhere.test; only the first takes delegations with our key
    resolver   follows them from the root on, and remembers nothing
    ca         asks the resolver, so that it sees what the world would see

The issuing host is this machine, and acme-ns.example.test its name.
"""

import contextlib
import json
import os
import subprocess
from pathlib import Path

from support import process
from support.ca import CA
from support.programs import program

ISSUER, PARENT, RESOLVER, CA_SERVER = "192.0.2.1", "192.0.2.53", "192.0.2.54", "192.0.2.80"
NETWORK = "internet"
ZONE, ELSEWHERE = "example.test", "elsewhere.test"
# As a parent's administrator would list them: BIND knows no pattern for such names.
DOMAINS = [ZONE, *(f"{name}.{ZONE}" for name in ("trial", "dev.trial", "keys", "own-key", "ca", "sealed", "shop"))]

OPTIONS = """options {{ directory "{directory}"; listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }}; pid-file none; lock-file none;
  session-keyfile none; allow-transfer {{ none; }}; notify no; dnssec-validation no; empty-zones-enable no; {more} }};
controls {{ }};
"""


def key_file(path, name):
    path.write_text(subprocess.run(["tsig-keygen", "-a", "hmac-sha256", name], capture_output=True, text=True, check=True).stdout)
    path.chmod(0o600)
    return path


class Internet:
    """For a machine of its own (network and /etc/resolv.conf): tests/acceptance/boot."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.processes = []
        self.ca_process = None
        self.delegation_key = key_file(self.directory / "delegation.key", "certlet-delegation")
        self.elsewhere_key = key_file(self.directory / "elsewhere.key", "elsewhere")
        self.foreign_key = key_file(self.directory / "foreign.key", "certlet-delegation")  # the name is right, the secret is not

    def start(self):
        self._lay_cable()
        Path("/etc/resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        self._start_parent()
        self._named("resolver", RESOLVER, f"recursion yes; max-cache-ttl 0; max-ncache-ttl 0; query-source address {RESOLVER};",
                    f'zone "." {{ type hint; file "root.hint"; }};',
                    {"root.hint": f". 60 NS ns.{ZONE}.\nns.{ZONE}. 60 A {PARENT}\n"})
        self._configure_ca()
        self.start_ca()
        process.wait_until(lambda: self.dig("SOA", ZONE), 10, "the resolver to follow the delegations")
        return self

    def stop(self):
        self.stop_ca()
        for running in self.processes:
            process.stop(running)

    @staticmethod
    def _lay_cable():
        def ip(*words):
            subprocess.run(["ip", *words], check=True)
        ip("netns", "add", NETWORK)
        ip("link", "add", "outside", "type", "veth", "peer", "name", "issuer", "netns", NETWORK)
        ip("address", "add", f"{ISSUER}/24", "dev", "outside")
        ip("link", "set", "outside", "up")
        for address in (PARENT, RESOLVER, CA_SERVER):
            ip("-n", NETWORK, "address", "add", f"{address}/24", "dev", "issuer")
        for device in ("issuer", "lo"):
            ip("-n", NETWORK, "link", "set", device, "up")

    @staticmethod
    def _start(command, **options):
        return process.start(["nsenter", f"--net=/run/netns/{NETWORK}", *command], **options)

    # DNS

    def _start_parent(self):
        def zone(name, *lines):
            return f"$ORIGIN {name}\n$TTL 60\n@ SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 604800 1\n@ NS ns.{ZONE}.\n" + "\n".join(lines) + "\n"
        files = {
            "root.zone": zone(".", f"{ZONE}. NS ns.{ZONE}.", f"ns.{ZONE}. A {PARENT}", f"{ELSEWHERE}. NS ns.{ZONE}."),
            "ours.zone": zone(f"{ZONE}.", f"ns A {PARENT}", f"acme-ns A {ISSUER}", f"acme A {CA_SERVER}"),
            "elsewhere.zone": zone(f"{ELSEWHERE}."),
        }
        self._named("parent", PARENT, "recursion no;", self._ours_by_the_sample() + f"""
include "{self.elsewhere_key}";
zone "." {{ type primary; file "root.zone"; }};
zone "{ELSEWHERE}" {{ type primary; file "elsewhere.zone"; allow-update {{ key elsewhere; }}; }};
""", files)

    def _ours_by_the_sample(self):
        """etc/issuer/parent.conf with these names and files, and its line for one domain for each."""
        text = (process.ROOT / "etc/issuer/parent.conf").read_text()
        text = text.replace("/etc/bind/certlet-delegation.key", str(self.delegation_key))
        text = text.replace("/var/lib/bind/example.com.zone", "ours.zone").replace("example.com", ZONE)
        line = f"grant certlet-delegation name _acme-challenge.shop.{ZONE}. NS;"
        assert line in text
        return text.replace(line, "".join(line.replace(f"shop.{ZONE}", name) for name in DOMAINS if name != ZONE))

    def _named(self, name, address, options, more, files):
        home = self.directory / name
        home.mkdir()
        for file, text in files.items():
            (home / file).write_text(text)
        (home / "named.conf").write_text(OPTIONS.format(directory=home, address=address, more=options) + more)
        self.processes.append(self._start(
            [program("named"), "-4", "-n", "1", "-f", "-c", home / "named.conf", "-L", home / "log"], log=home / "output"))

    @staticmethod
    def dig(kind, name, server=RESOLVER):
        """The answers, sorted."""
        done = subprocess.run(["dig", f"@{server}", "+short", "+time=1", "+tries=1", kind, name], capture_output=True, text=True)
        return sorted(line for line in done.stdout.split("\n") if line and not line.startswith(";")) if done.returncode == 0 else []

    def update(self, key, *commands, server=PARENT):
        """nsupdate with that key; what it says, empty when all was taken."""
        done = subprocess.run(["nsupdate", "-t", "5", "-k", key], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              input="\n".join([f"server {server}", *commands, "send", ""]))
        return done.stdout

    # The CA

    def _configure_ca(self):
        home = self.directory / "pebble"
        home.mkdir()
        api = CA("the CA's own web server")
        api.leaf([f"acme.{ZONE}"], days=30).write(home / "tls")
        (home / "ca.pem").write_text(api.root_pem)
        self.ca_file = home / "ca.pem"
        self.ca_url = f"https://acme.{ZONE}:14000/dir"
        (home / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{CA_SERVER}:14000", "managementListenAddress": f"{CA_SERVER}:15000",
            "certificate": str(home / "tls/fullchain.pem"), "privateKey": str(home / "tls/privkey.pem"),
            "httpPort": 5002, "tlsPort": 5001, "certificateValidityPeriod": 90 * 86400}}))

    def start_ca(self):
        home = self.directory / "pebble"
        # Without these it sleeps, refuses one request in twenty, and lets half of the renewals go without asking the DNS.
        self.ca_process = self._start(
            ["pebble", "-config", home / "config.json", "-dnsserver", f"{RESOLVER}:53"], log=home / "log",
            env=os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
        process.wait_until(lambda: process.port_answers(14000, CA_SERVER), 10, "Pebble to listen")

    def stop_ca(self):
        process.stop(self.ca_process)

    @contextlib.contextmanager
    def without_ca(self):
        """Nobody can reach it. (Ended, it would forget its accounts.)"""
        route = ["unreachable", f"{CA_SERVER}/32"]
        subprocess.run(["ip", "route", "add", *route], check=True)
        try:
            yield
        finally:
            subprocess.run(["ip", "route", "delete", *route], check=True)

    def orders(self):
        """How many certificates were asked of the CA."""
        return (self.directory / "pebble/log").read_text().count("POST /order-plz")
