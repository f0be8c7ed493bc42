"""What etc/outside/ describes, carried out on a machine that may be spoilt: see tests/acceptance/test_outside.py."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import yaml

from support import process
from support.node import package
from support.process import BUILD, ROOT

OUTSIDE = ROOT / "etc/outside"


def forget_packages():
    """apt knows what is installed, and asks for nothing newer, which it could not reach."""
    Path("/etc/apt/sources.list").unlink(missing_ok=True)
    for place in ("/etc/apt/sources.list.d", "/var/lib/apt/lists"):
        shutil.rmtree(place, ignore_errors=True)
        Path(place).mkdir()


# A cloud server


class Cloud:
    """A server that cloud-init sets up; the cloud is a folder with its user-data (the data source NoCloud)."""

    seed = Path("/var/lib/cloud/seed/nocloud")
    repository = Path("/srv/certlet-packages")

    def __init__(self, node):
        self.node = node
        if shutil.which("cloud-init") is None:
            for archive in sorted((BUILD / "cloud-init").glob("*.deb")):
                # Not dpkg -i, which takes half a minute for what is used here, nor dpkg -x: it makes links directories.
                subprocess.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -x -C / --keep-directory-symlink', "sh", archive], check=True)
        shutil.rmtree("/var/lib/cloud", ignore_errors=True)
        self.seed.mkdir(parents=True)
        # Of all that a new server is given, what certlet's user-data speaks of.
        Path("/etc/cloud/cloud.cfg.d/99-acceptance.cfg").write_text(yaml.safe_dump({
            "datasource_list": ["NoCloud"], "network": {"config": "disabled"}, "warnings": {"dsid_missing_source": "off"},
            "cloud_init_modules": ["write-files"], "cloud_config_modules": ["apt-configure", "runcmd"],
            "cloud_final_modules": ["package-update-upgrade-install", "scripts-user"]}))

    def fills(self, wrapped, without=()):
        """The user-data of this tree, filled in as its README says, for this Vault; an image may have the package already."""
        vault = self.node.vault
        text = (OUTSIDE / "cloud-init/user-data.yaml").read_text()
        text = re.sub(r"^( +)address = .*", rf"\1address = {vault.address}", text, flags=re.M)
        text = re.sub(r"^( +source: ).*", rf"\1deb [trusted=yes] file:{self.repository} ./", text, flags=re.M)
        template = self.node.directory / "user-data.yaml"
        template.write_text(text)
        filled = subprocess.run([OUTSIDE / "cloud-init/fill", template, vault.ca_file], check=True, capture_output=True, text=True,
                                input=f"role_id {vault.role_id}\nwrapped_secret_id {wrapped}\n")
        if not without:
            return filled.stdout
        return "#cloud-config\n" + yaml.safe_dump({key: value for key, value in yaml.safe_load(filled.stdout).items() if key not in without})

    def offers_the_package(self):
        """In an apt repository, the only one there is."""
        forget_packages()
        self.repository.mkdir(exist_ok=True)
        shutil.copy(package(), self.repository)
        with open(self.repository / "Packages", "w") as index:
            subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=self.repository, check=True, stdout=index,
                           stderr=subprocess.DEVNULL)

    def start(self, user_data, instance="one"):
        """A start of the server; what the four units of cloud-init ended with."""
        (self.seed / "user-data").write_text(user_data)
        (self.seed / "meta-data").write_text(f"instance-id: {instance}\n")
        return [self.node.execute("cloud-init", *stage.split()).exit
                for stage in ("init --local", "init", "modules --mode=config", "modules --mode=final")]

    def says(self, text):
        """Files in which cloud-init and the journal keep what was said."""
        written = self.node.contain(text, Path("/var/log"), Path("/run/log"), Path("/run/cloud-init"))
        return written + (["journal"] if text in self.node.execute("journalctl", "--quiet").output else [])


# A container


def instructions(path):
    """[(word, rest)] of a Containerfile."""
    text = re.sub(r"\\\n\s*", " ", "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#")))
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


class Container:
    """
    An image that is this machine itself: the Containerfile is carried out on it, FROM aside. What is started has its own
    mounts and processes, the user that is said there, no capability, and a root that cannot be written to.
    """

    def __init__(self, node):
        self.node = node
        forget_packages()
        said = instructions(OUTSIDE / "container/Containerfile")
        context = node.directory / "context"
        shutil.copytree(OUTSIDE / "container", context)
        shutil.copy(package(), context)
        for word, rest in said:
            if word == "RUN":
                node.execute("sh", "-c", rest, check=True)
            elif word == "COPY":
                *sources, target = rest.removeprefix("--chmod=0755 ").split()
                for source in context.glob(sources[0]):
                    shutil.copy(source, target)
        found = dict(said)
        self.user, self.group = found["USER"].split(":")
        self.entrypoint = json.loads(found["ENTRYPOINT"])
        self.health = json.loads(found["HEALTHCHECK"].partition("CMD ")[2])
        self.volumes = json.loads(found["VOLUME"])
        self.running = None
        for volume in self.volumes:
            # As an engine does: a new volume is what the image has at that place.
            shutil.copytree(volume, self.volume(volume))
            shutil.copystat(volume, self.volume(volume))
            os.chown(self.volume(volume), int(self.user), int(self.group))

    def volume(self, path):
        return self.node.directory / "volumes" / path.strip("/").replace("/", "-")

    def as_user(self, user=None, groups=()):
        """Words that run a program with no right at all."""
        kept = [f"--groups={','.join(groups)}"] if groups else ["--clear-groups"]
        return ["setpriv", f"--reuid={user or self.user}", f"--regid={user or self.group}", *kept, "--no-new-privs",
                "--bounding-set=-all", "--inh-caps=-all"]

    def start(self, **environment):
        mounts = [f"mount --bind {self.volume(path)} {path}" for path in self.volumes]
        mounts += [f"mount -o remount,bind,ro {path}" for path in ("/", "/run", "/tmp")]
        command = f"{' && '.join(mounts)} && cd / && exec {shlex.join([*self.as_user(), *self.entrypoint])}"
        self.running = process.start(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", command],
                                     log=self.node.directory / "container.log", env={"PATH": os.environ["PATH"], **environment})

    @property
    def pid(self):
        """Of the first process in it."""
        return int(Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text())

    def inside(self, command, user=None, groups=()):
        return self.node.execute("nsenter", f"--target={self.pid}", "--mount", "--pid", *self.as_user(user, groups), *command)

    def stop(self):
        """As an engine does; what the container ended with."""
        os.kill(self.pid, signal.SIGTERM)
        return self.running.wait(10)

    def ends(self):
        """What it ends with by itself."""
        return self.running.wait(10)

    @property
    def log(self):
        return (self.node.directory / "container.log").read_text()
