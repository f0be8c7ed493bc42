#!/usr/bin/env python3
"""
The life of a certificate on this terminal: real OpenBao over TLS, real nginx, real certlet, all in one temporary
directory and on loopback. What stands after `$ ` is what runs. Started by ./bootstrap demo.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import process, programs  # noqa: E402
from support.bao import Bao  # noqa: E402
from support.ca import CA  # noqa: E402

WWW, SHOP = "www.example.com", "shop.example.com"
COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


class Demo:
    def __init__(self, directory):
        self.directory = directory
        self.ca = CA("Demo CA")
        (directory / "openbao").mkdir()
        self.bao = Bao(directory / "openbao")
        self.nginx = programs.Nginx(directory / "nginx")
        self.environment = {
            "PATH": f"{process.BUILD}:{Path(process.bao_program()).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(directory), "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb"),
            "BAO_ADDR": self.bao.address, "BAO_CACERT": self.bao.ca_file,
            **{key: value for key, value in os.environ.items() if key == "NO_COLOR" or key.endswith("SAN_OPTIONS")}}
        self.step = 0
        self.unexpected = []

    def say(self, text):
        self.step += 1
        print(paint("1;36", f"\n{self.step}. {text}"), flush=True)

    def run(self, command, expect=0):
        """Shows and runs one line; another exit code than expected makes the demo fail at its end."""
        print(paint("1", f"$ {command}"), flush=True)
        code = subprocess.run(["/bin/sh", "-c", command], env=self.environment, cwd=self.directory,
                              preexec_fn=process.die_with_parent).returncode
        if code:
            print(paint("33", f"[exit {code}]"), flush=True)
        if code not in (expect if isinstance(expect, tuple) else (expect,)):
            self.unexpected.append(f"`{command}` ended with {code}, not {expect}")
        return code

    def sync(self, expect=0):
        return self.run("certlet --sync --manifest manifest.ini", expect)

    def served(self):
        self.run(f"echo | openssl s_client -connect 127.0.0.1:{self.nginx.port} -servername {WWW} 2>/dev/null | "
                 "openssl x509 -noout -serial -enddate")

    def write_manifest(self, names):
        user = "user            = nobody\n" if os.geteuid() == 0 else ""
        certificates = "".join(f"[certificate {name}]\nservices = nginx\n\n" for name in names)
        (self.directory / "manifest.ini").write_text(f"""[vault]
address        = {self.bao.address}
ca_file        = {self.bao.ca_file}
role_id_file   = {self.directory}/role-id
secret_id_file = {self.directory}/secret-id

[agent]
directory       = {self.directory}/certlet
state_directory = {self.directory}/state
run_directory   = {self.directory}/run
{user}
{certificates}[service nginx]
active = {self.nginx.active}
test   = {self.nginx.test}
reload = {self.nginx.reload}
verify = 127.0.0.1:{self.nginx.port}
[end]
""")

    def publish(self, name, leaf, key=None, expect=0):
        home = leaf.write(self.directory / "new" / name)
        if key is not None:
            (home / "privkey.pem").write_text(key)
        self.run(f"certlet-publish --config publish.ini --name {name} --cert new/{name}/cert.pem "
                 f"--key new/{name}/privkey.pem --chain new/{name}/chain.pem", expect)

    def set_up_vault(self):
        """What an administrator of Vault does once; the policies are shown, the rest is plain set-up."""
        api = self.bao.api
        api("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        api("POST", "sys/auth/approle", {"type": "approle"})
        api("PUT", "sys/policies/acl/publisher", {"policy": "\n".join(
            f'path "secret/{kind}/certs/*" {{ capabilities = ["create", "update", "read"] }}'
            for kind in ("data", "metadata"))})
        publisher = api("POST", "auth/token/create", {"policies": ["publisher"], "ttl": "20m"})["auth"]["client_token"]
        (self.directory / "publish.ini").write_text(
            f"[vault]\naddress = {self.bao.address}\nca_file = {self.bao.ca_file}\n"
            f"auth = token\ntoken_file = {self.directory}/publisher-token\n"
            f"[agent]\nrun_directory = {self.directory}/run\n[end]\n")
        api("POST", "auth/approle/role/web1", {
            "token_type": "batch", "token_ttl": "20m", "token_policies": ["web1"]})
        secrets = {
            "publisher-token": publisher,
            "role-id": api("GET", "auth/approle/role/web1/role-id")["data"]["role_id"],
            "secret-id": api("POST", "auth/approle/role/web1/secret-id", {})["data"]["secret_id"]}
        for name, text in secrets.items():
            path = self.directory / name
            path.touch(mode=0o600)
            path.write_text(text + "\n")
        # The `bao` command line reads its token from here.
        token = self.directory / ".vault-token"
        token.touch(mode=0o600)
        token.write_text(self.bao.root_token)

    def play(self):
        self.say("A throw-away OpenBao with TLS and AppRole is started, and this is what the server is to have:")
        self.bao.start()
        self.set_up_vault()
        self.write_manifest([WWW, SHOP])
        self.run("cat manifest.ini")

        self.say("The policy that this manifest needs, and no more, becomes the server's role:")
        self.run("certlet --policy --manifest manifest.ini | tee policy.hcl")
        self.run("bao policy write web1 policy.hcl")

        self.say("The issuing host publishes two certificates:")
        self.publish(WWW, self.ca.leaf([WWW], days=20))
        self.publish(SHOP, self.ca.leaf([SHOP]))

        self.say("certlet installs them; nginx does not run yet, so nothing is reloaded:")
        self.sync()
        self.run("ls -l certlet/live certlet/live/www.example.com/")

        self.say("A real nginx serves them:")
        for name in (WWW, SHOP):
            self.nginx.vhost(name, self.directory / "certlet/live" / name)
        self.nginx.start()
        pid = self.nginx.pid
        self.served()

        self.say("Nothing new: one line, and no key crosses the network:")
        self.sync()

        self.say("The certificate is renewed. nginx is tested and reloaded, and serves it without a restart:")
        second = self.ca.leaf([WWW])
        self.publish(WWW, second)
        self.sync()
        if not self.nginx.comes_to_serve(second.fingerprint, WWW) or self.nginx.pid != pid:
            self.unexpected.append("nginx does not serve the renewed certificate")
        self.served()

        self.say("A key that does not fit is refused at the upload, and at the server when it comes another way:")
        third, stranger = self.ca.leaf([WWW]), self.ca.leaf([WWW])
        self.publish(WWW, third, key=stranger.key, expect=2)
        self.run(f"bao kv put -mount=secret certs/{WWW} cert=@new/{WWW}/cert.pem chain=@new/{WWW}/chain.pem "
                 f"privkey=@new/{WWW}/privkey.pem >/dev/null")
        self.sync(expect=2)
        if self.nginx.serves(WWW) != second.fingerprint:
            self.unexpected.append("the bad upload came through")

        self.say("A good upload puts it right:")
        self.publish(WWW, third)
        self.sync()

        self.say("shop moves away: its vhost goes, its lines in the manifest go, and so does the certificate:")
        self.nginx.without(SHOP)
        self.write_manifest([WWW])
        self.run("grep -A 1 certificate manifest.ini")
        if self.sync(expect=(0, 2)) == 2:
            # Whether nginx can do without is tried in a mount namespace, which not every user and every root may have.
            self.say("Whether nginx still needs it cannot be tried on this machine: then a person has to say so:")
            self.run(f"certlet --sync {SHOP} --force --manifest manifest.ini")
        self.run("ls certlet/live certlet/archive")

        self.say("Where this server stands:")
        self.run("certlet --status --manifest manifest.ini")

    def stop(self):
        self.nginx.stop()
        self.bao.stop()


def main():
    # A closed terminal or Ctrl-C ends the demo the same way as its end: nothing is left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    if programs.program("nginx") is None:
        sys.exit("demo: nginx is not installed")
    begin = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="certlet-demo-"))
    directory.chmod(0o755)
    demo = None
    try:
        demo = Demo(directory)
        demo.play()
    except KeyboardInterrupt:
        return 130
    finally:
        if demo is not None:
            demo.stop()
        shutil.rmtree(directory, ignore_errors=True)
    for line in demo.unexpected:
        print(paint("1;31", f"not as it should be: {line}"), file=sys.stderr)
    if demo.unexpected:
        return 1
    print(paint("1;32", f"\nThat was all, in {time.monotonic() - begin:.0f} seconds; nothing is left running, no file is left. Next:"))
    print(paint("1", "$ sudo make -C build install\n$ sudo certlet --test --system"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
