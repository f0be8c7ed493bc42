"""
The presets of etc/services.ini, each with the real program, used by its own configuration paths and init script.

A program runs in a House: mount and process namespaces of its own, in which its directories under /etc, /var and /run
are the test's. So the commands of a preset are run word by word, nothing of this machine is touched, and all that was
started ends with the House. (/run is empty in there: systemd does not run, and active_sysv and reload_sysv are used.)
"""

import configparser
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support import process, programs

PRESETS_FILE = process.ROOT / "etc" / "services.ini"
NAME = "www.example.test"


def read_presets():
    presets = configparser.ConfigParser(interpolation=None, allow_no_value=True)
    presets.read_string(PRESETS_FILE.read_text())
    return {title.split()[1]: dict(presets[title]) for title in presets.sections() if title != "end"}


PRESETS = read_presets()


class House:
    """Namespaces in which each of `places` is an empty directory under `directory`; enter: the words to run one there."""

    def __init__(self, directory, places):
        self.directory = directory
        self.places = {place: directory / place.strip("/").replace("/", "-") for place in places}
        for inside in self.places.values():
            inside.mkdir(parents=True)
        self.outside("/run/lock").mkdir()
        mounts = "".join(f"mount --bind {inside} {place} && " for place, inside in self.places.items())
        # A shell as process 1: it buries the daemons' children.
        self.process = process.start(
            ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c",
             f"{mounts} touch {directory}/ready && while :; do sleep 0.2; done"], log=directory / "house.log")
        process.wait_until(lambda: (directory / "ready").exists() or self.process.poll() is not None, 10, "a House")
        if self.process.poll() is not None:
            pytest.skip("no namespaces here: " + (directory / "house.log").read_text().strip())
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.first = int(children.split()[0])
        self.enter = ["nsenter", "--target", str(self.first), "--mount", "--root", "--wd", "--pid", "--"]

    def outside(self, path):
        """Where a path inside is to be found from here."""
        for place, inside in self.places.items():
            if path == place or path.startswith(place + "/"):
                return inside / path[len(place):].strip("/")
        raise ValueError(path)

    def writes(self, path, text, mode=0o644):
        file = self.outside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def run(self, command, check=True):
        """Runs one command inside, with the environment that certlet gives."""
        # Output to a file: a daemon may keep it open for ever.
        log = self.directory / "command.log"
        with open(log, "wb") as out:
            done = subprocess.run(
                [*self.enter, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}, cwd="/")
        print(f"$ {command}\n{log.read_text(errors='replace')}[exit {done.returncode}]")
        assert not check or done.returncode == 0
        return done.returncode

    def close(self):
        if self.process.poll() is None:
            os.kill(self.first, signal.SIGKILL)
        process.stop(self.process)


class Program:
    """What a test has to know of one program; the preset knows the rest."""

    preset = None
    needs = ()          # programs without which it is not installed
    places = ()         # directories that it gets of its own
    starttls = None     # how to get at its TLS: smtp, imap, postgres
    keys = {}           # of the [certificate] section
    sees = ()           # which faults its `test` finds: mismatched, junk, missing

    def __init__(self, directory):
        for needed in self.needs:
            if not Path(needed).exists():
                pytest.skip(f"{needed} is not installed")
        self.port = process.free_port()
        self.directory = directory
        self.house = House(directory, ["/run", *self.places])

    def section(self):
        """The preset, word by word, and where to verify."""
        verify = f"127.0.0.1:{self.port}" + (f" starttls={self.starttls}" if self.starttls else "")
        return {**PRESETS[self.preset], "verify": verify}

    def words(self, key):
        return self.section()[key].split()

    def configure(self, files):
        raise NotImplementedError

    def start(self):
        self.house.run(["/usr/sbin/service", self.preset, "start"])

    def serves(self):
        """The fingerprint that it serves, None when it does not answer."""
        if self.starttls is None:
            return programs.served_fingerprint(self.port, NAME)
        asked = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-starttls", self.starttls],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        shown = subprocess.run(
            ["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=asked.stdout, capture_output=True)
        _, _, digits = shown.stdout.decode().strip().partition("=")
        return digits.replace(":", "").lower() or None


class Nginx(Program):
    preset, needs = "nginx", ["/usr/sbin/nginx"]
    places = ["/etc/nginx", "/var/log/nginx", "/var/lib/nginx"]
    sees = ["mismatched", "junk", "missing"]

    def configure(self, files):
        self.house.writes("/etc/nginx/nginx.conf", f"""pid /run/nginx.pid;
events {{}}
http {{
	access_log off;
	server {{
		listen 127.0.0.1:{self.port} ssl;
		ssl_certificate {files}/fullchain.pem;
		ssl_certificate_key {files}/privkey.pem;
	}}
}}
""")


class Haproxy(Program):
    preset, needs = "haproxy", ["/usr/sbin/haproxy"]
    places = ["/etc/haproxy"]
    keys = {"combined": True}
    sees = ["mismatched", "junk", "missing"]

    def configure(self, files):
        self.house.writes("/etc/haproxy/haproxy.cfg", f"""defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend tls
	bind 127.0.0.1:{self.port} ssl crt {files}/combined.pem
""")


class Apache2(Program):
    preset, needs = "apache2", ["/usr/sbin/apache2ctl", "/usr/lib/apache2/modules/mod_ssl.so"]
    places = ["/etc/apache2", "/var/log/apache2"]
    sees = ["missing"]

    def __init__(self, directory):
        super().__init__(directory)
        shutil.copy("/etc/apache2/envvars", self.house.outside("/etc/apache2"))

    def configure(self, files):
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                          for name in ("mpm_event", "authz_core", "socache_shmcb", "ssl"))
        self.house.writes("/etc/apache2/apache2.conf", f"""{modules}
ServerName localhost
PidFile ${{APACHE_PID_FILE}}
Mutex file:/run default
ErrorLog /var/log/apache2/error.log
User ${{APACHE_RUN_USER}}
Group ${{APACHE_RUN_GROUP}}
Listen 127.0.0.1:{self.port}
SSLEngine on
SSLCertificateFile {files}/fullchain.pem
SSLCertificateKeyFile {files}/privkey.pem
""")


class Postfix(Program):
    preset, needs = "postfix", ["/usr/sbin/postfix"]
    places = ["/etc/postfix", "/var/lib/postfix", "/var/spool/postfix", "/var/log"]
    starttls = "smtp"

    def __init__(self, directory):
        super().__init__(directory)
        shutil.copytree("/etc/postfix", self.house.outside("/etc/postfix"), dirs_exist_ok=True)
        shutil.chown(self.house.outside("/var/lib/postfix"), "postfix")

    def configure(self, files):
        # Column 5 is chroot: its copies of system files are made by another script.
        master = self.house.outside("/etc/postfix/master.cf").read_text()
        services = [line.split() for line in master.splitlines() if line[:1].isalpha()]
        for words in services:
            words[4] = "n"
            if words[0] == "smtp" and words[1] == "inet":
                words[0] = f"127.0.0.1:{self.port}"
        self.house.writes("/etc/postfix/master.cf", "".join(" ".join(words) + "\n" for words in services))
        self.house.writes("/etc/postfix/main.cf", f"""compatibility_level = 3.6
myhostname = mail.example.test
mydestination =
alias_maps =
maillog_file = /var/log/mail.log
smtpd_tls_security_level = may
smtpd_tls_cert_file = {files}/fullchain.pem
smtpd_tls_key_file = {files}/privkey.pem
""")

    def start(self):
        self.house.run(["/usr/sbin/postfix", "start"])


class Dovecot(Program):
    preset, needs = "dovecot", ["/usr/sbin/dovecot", "/usr/lib/dovecot/imap-login"]
    places = ["/etc/dovecot", "/var/lib/dovecot"]
    sees = ["missing"]

    def configure(self, files):
        self.house.writes("/etc/dovecot/dovecot.conf", f"""log_path = /run/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{files}/fullchain.pem
ssl_key = <{files}/privkey.pem
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.port}
  }}
}}
passdb {{
  driver = static
  args = nopassword=y
}}
""")

    def start(self):
        self.house.run(["/usr/sbin/dovecot"])


class Exim4(Program):
    preset, needs = "exim4", ["/usr/sbin/exim4"]
    places = ["/etc/exim4", "/var/lib/exim4", "/var/spool/exim4", "/var/log/exim4"]
    starttls = "smtp"
    keys = {"group": "Debian-exim", "key_mode": "0640"}

    def __init__(self, directory):
        super().__init__(directory)
        for place in self.places[1:]:
            shutil.chown(self.house.outside(place), "Debian-exim", "Debian-exim")

    def configure(self, files):
        # update-exim4.conf has nothing to do where there is an exim4.conf.
        self.house.writes("/etc/exim4/exim4.conf", f"""daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {files}/fullchain.pem
tls_privatekey = {files}/privkey.pem
acl_smtp_rcpt = deny
begin acl
deny:
  deny
""")


class Slapd(Program):
    preset, needs = "slapd", ["/usr/sbin/slapd", "/usr/bin/ldapmodify"]
    places = ["/etc/ldap/slapd.d", "/var/lib/ldap"]
    keys = {"group": "openldap", "key_mode": "0640"}

    def section(self):
        """Its LDIF is not in /etc/certlet here, that is all."""
        keys = super().section()
        keys["reload"] = keys["reload"].replace("/etc/certlet/", f"{self.directory}/")
        return keys

    def configure(self, files):
        ldif = self.directory / "init.ldif"
        ldif.write_text(f"""dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: /run/slapd/slapd.pid
olcTLSCertificateFile: {files}/fullchain.pem
olcTLSCertificateKeyFile: {files}/privkey.pem

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcAccess: {{0}}to * by dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth manage by * break
""")
        # What services.ini tells to write, with this test's paths.
        told = [line[2:] for line in PRESETS_FILE.read_text().splitlines() if line.startswith("#\t")]
        text = "\n".join(told) + "\n"
        (self.directory / "slapd.ldif").write_text(text.replace("/etc/certlet/live/NAME", str(files)))
        self.house.run(["/usr/sbin/slapadd", "-n", "0", "-F", "/etc/ldap/slapd.d", "-l", ldif])
        for place in ("/etc/ldap/slapd.d", "/run/slapd"):
            self.house.outside(place).mkdir(exist_ok=True)
            self.house.run(["/bin/chown", "-R", "openldap:openldap", place])

    def start(self):
        self.house.run(["/usr/sbin/slapd", "-F", "/etc/ldap/slapd.d", "-u", "openldap", "-g", "openldap",
                        "-h", f"ldapi:/// ldaps://127.0.0.1:{self.port}"])


class Postgresql(Program):
    preset, needs = "postgresql", ["/usr/bin/pg_createcluster"]
    places = ["/etc/postgresql", "/var/lib/postgresql", "/var/log/postgresql"]
    starttls = "postgres"
    keys = {"group": "postgres", "key_mode": "0640"}

    def section(self):
        """Its way to TLS is one that `verify` does not know."""
        return dict(PRESETS[self.preset])

    def configure(self, files):
        version = sorted(os.listdir("/usr/lib/postgresql"), key=int)[-1]
        self.house.run(["/usr/bin/pg_createcluster", version, "main", "--port", self.port, "--",
                        "--no-sync", "--auth=trust"])
        self.house.writes(f"/etc/postgresql/{version}/main/conf.d/tls.conf", f"""fsync = off
ssl = on
ssl_cert_file = '{files}/fullchain.pem'
ssl_key_file = '{files}/privkey.pem'
""")


ALL = [Nginx, Haproxy, Apache2, Postfix, Dovecot, Exim4, Slapd, Postgresql]
TESTED = [kind for kind in ALL if "test" in PRESETS[kind.preset]]


@pytest.fixture
def real(request, directory):
    (directory / "program").mkdir()
    running = request.param(directory / "program")
    yield running
    running.house.close()


def each(kinds):
    return pytest.mark.parametrize("real", kinds, indirect=True, ids=[kind.preset for kind in kinds])


def test_there_is_a_preset_for_each_service_that_certlet_promises_to_know():
    assert sorted(PRESETS) == [
        "apache2", "dovecot", "exim4", "haproxy", "httpd", "nginx", "postfix", "postgresql", "slapd"]


def test_the_presets_are_a_valid_part_of_a_manifest(server):
    server.wants(NAME, services=list(PRESETS))
    for name, keys in PRESETS.items():
        server.services[name] = keys
    assert server.run("--test").exit == 0


def test_presets_name_programs_by_their_path_and_leave_systemctl_to_the_default():
    for name, keys in PRESETS.items():
        for key in ("test", "reload", "active", "active_sysv", "reload_sysv"):
            assert keys.get(key, "/").startswith("/"), (name, key)
        assert "systemctl" not in " ".join(keys.values())


@pytest.mark.root
@each(TESTED)
def test_the_test_passes_a_good_pair_and_sees_the_faults_that_the_preset_says(real, ca):
    files = real.directory / "files"
    real.configure(files)

    def verdict(state):
        shutil.rmtree(files, ignore_errors=True)
        if state != "missing":
            leaf = ca.leaf([NAME])
            leaf.write(files)
            if state == "mismatched":
                (files / "privkey.pem").write_text(ca.leaf([NAME]).key)
            if state == "junk":
                for file in ("fullchain.pem", "privkey.pem"):
                    (files / file).write_text("-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n")
            (files / "combined.pem").write_text(
                (files / "privkey.pem").read_text() + (files / "fullchain.pem").read_text())
        return real.house.run(real.words("test"), check=False) == 0

    assert verdict("good")
    for state in ("mismatched", "junk", "missing"):
        assert verdict(state) == (state not in real.sees), state
    assert verdict("good")


@pytest.mark.root
@each(ALL)
def test_a_renewal_is_served_after_the_presets_reload_and_a_stopped_service_is_left_alone(server, vault, real):
    leaf = vault.publish(NAME)
    server.wants(NAME, services=[real.preset], **real.keys)
    server.services[real.preset] = real.section()
    real.configure(server.live / NAME)

    # Installed before the service was ever started: that does not start it.
    assert server.sync(under=real.house.enter).exit == 0
    assert server.installed(NAME).fingerprint == leaf.fingerprint
    assert server.service_status(real.preset)["state"] == "inactive"
    assert not process.port_answers(real.port)

    real.start()
    process.wait_until(lambda: real.serves() == leaf.fingerprint, 20, "the first leaf")

    renewed = vault.publish(NAME)
    run = server.sync(under=real.house.enter)
    assert run.exit == 0, run.output
    assert server.service_status(real.preset)["state"] == "ok"
    if "verify" in real.section():
        assert server.service_status(real.preset)["serving"] == renewed.fingerprint
    process.wait_until(lambda: real.serves() == renewed.fingerprint, 20, "the renewed leaf")


@pytest.mark.root
@each([Slapd])
def test_slapd_refuses_a_key_that_does_not_fit_and_serves_again_after_the_way_back(real, ca):
    files = real.directory / "files"
    leaf = ca.leaf([NAME])
    leaf.write(files)
    (files / "privkey.pem").chmod(0o644)
    real.configure(files)
    real.start()
    process.wait_until(lambda: real.serves() == leaf.fingerprint, 20, "slapd")
    (files / "privkey.pem").write_text(ca.leaf([NAME]).key)
    assert real.house.run(real.words("reload"), check=False) != 0
    (files / "privkey.pem").write_text(leaf.key)
    assert real.house.run(real.words("reload"), check=False) == 0
    assert real.serves() == leaf.fingerprint
