"""Real programs that serve certificates, on loopback, from a temporary directory."""

import hashlib
import os
import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

from support import process


def served_fingerprint(port, sni="www.example.test", host="127.0.0.1"):
    """SHA-256 of the leaf that answers there; None when nobody does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), 5) as plain, \
                context.wrap_socket(plain, server_hostname=sni) as connection:
            return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()
    except OSError:
        return None


def program(name):
    """The path of a system program, or None; /usr/sbin is looked at too."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


class _Served:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = process.free_port()
        self.process = None

    @property
    def pid(self):
        return self.process.pid if self.process else None

    def stop(self):
        process.stop(self.process)
        self.process = None

    def serves(self, sni="www.example.test"):
        """The fingerprint served for that name."""
        return served_fingerprint(self.port, sni)

    def comes_to_serve(self, fingerprint, sni="www.example.test", seconds=5):
        """
        Is that leaf served, for good, within so many seconds? For a tenth of a second after its reload nginx has old and
        new workers on the same socket: one good answer proves nothing yet, five over a quarter of a second do.
        """
        end, in_a_row = time.monotonic() + seconds, 0
        while in_a_row < 5 and time.monotonic() < end:
            in_a_row = in_a_row + 1 if self.serves(sni) == fingerprint else 0
            time.sleep(0.05)
        return in_a_row == 5

    def _script(self, name, text):
        path = self.directory / name
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
        return path

    def service_keys(self, verify=False):
        """For server.service("nginx", **nginx.service_keys())."""
        keys = {"active": self.active, "test": self.test, "reload": self.reload}
        return keys | ({"verify": f"127.0.0.1:{self.port}"} if verify else {})


class Nginx(_Served):
    """nginx.vhost(name, live / name) for each name, then nginx.start()."""

    def __init__(self, directory):
        super().__init__(directory)
        self.vhosts = {}
        self.binary = program("nginx")
        self.configuration = self.directory / "nginx.conf"
        self.test = f"{self.binary} -q -t -p {self.directory} -c {self.configuration}"
        self.active = self._script("active", f'kill -0 "$(cat {self.directory}/nginx.pid)"')
        # `nginx -s reload` answers before the workers are changed: verify has to poll, as with the real thing.
        self.reload = f"{self.binary} -p {self.directory} -c {self.configuration} -s reload"

    def vhost(self, name, files):
        """One name served with files/fullchain.pem and files/privkey.pem."""
        self.vhosts[name] = files
        self._write()

    def without(self, name):
        del self.vhosts[name]
        self._write()

    def _write(self):
        servers = "".join(f"""
	server {{
		listen 127.0.0.1:{self.port} ssl;
		server_name {name.replace('_wildcard.', '*.')};
		ssl_certificate {files}/fullchain.pem;
		ssl_certificate_key {files}/privkey.pem;
		return 200 "{name}\\n";
	}}""" for name, files in self.vhosts.items())
        user = "user nobody nogroup;" if os.geteuid() == 0 and Path("/etc/debian_version").exists() else ""
        temporary = "".join(f"\n\t{kind}_temp_path {self.directory}/tmp;"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.configuration.write_text(f"""# a throw-away nginx
{user}
daemon off;
worker_processes 1;
pid {self.directory}/nginx.pid;
error_log {self.directory}/error.log notice;
events {{ worker_connections 64; }}
http {{{temporary}
	access_log off;
	server_names_hash_bucket_size 128;{servers}
}}
""")

    def start(self):
        self.process = process.start(
            [self.binary, "-p", self.directory, "-c", self.configuration], log=self.directory / "nginx.log")
        process.wait_until(lambda: process.port_answers(self.port) or self.process.poll() is not None, 10, "nginx")
        if self.process.poll() is not None:
            raise RuntimeError("nginx ended:\n" + (self.directory / "nginx.log").read_text())
        return self


class Haproxy(_Served):
    """haproxy.crt(path) for each combined file (or directory), then haproxy.start()."""

    def __init__(self, directory):
        super().__init__(directory)
        self.files = []
        self.binary = program("haproxy")
        self.configuration = self.directory / "haproxy.cfg"
        self.pid_file = self.directory / "haproxy.pid"
        self.test = f"{self.binary} -q -c -f {self.configuration}"
        self.active = self._script("active", f'kill -0 "$(cat {self.pid_file})"')
        self.reload = self._script("reload", f'kill -USR2 "$(cat {self.pid_file})"')

    def crt(self, path):
        self.files.append(path)
        lines = " ".join(f"crt {file}" for file in self.files)
        self.configuration.write_text(f"""# a throw-away HAProxy
global
	ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend tls
	bind 127.0.0.1:{self.port} ssl {lines}
	http-request return status 200
""")

    def start(self):
        self.process = process.start(
            [self.binary, "-W", "-f", self.configuration], log=self.directory / "haproxy.log")
        self.pid_file.write_text(f"{self.process.pid}\n")
        process.wait_until(lambda: process.port_answers(self.port) or self.process.poll() is not None, 10, "haproxy")
        if self.process.poll() is not None:
            raise RuntimeError("haproxy ended:\n" + (self.directory / "haproxy.log").read_text())
        return self

    def stop(self):
        # TERM lets old workers finish what they serve; INT ends master and workers now.
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        super().stop()
