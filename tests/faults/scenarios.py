"""What a server goes through while something fails, and how it has to look afterwards."""

WWW, NEIGHBOUR = "www.example.test", "stays.example.test"

# Notes what the service would serve: what was live when it was last reloaded.
RELOAD = """#!/bin/sh
{here}/reload || exit 1
if [ -e {live}/{name}/cert.pem ]; then cat {live}/{name}/cert.pem > {here}/serving; fi
"""


class Scenario:
    """
    .verb is run with a fault; after it, .again is run without one, and ends in .exit with nothing to complain about.
    .leaves are those that may be live for WWW meanwhile (None: none at all), .goal the one that is in the end.
    """

    name = ""
    verb = again = ("--sync",)
    exit = 0
    keys = {}

    def __init__(self):
        self.leaves, self.goal, self.spare = [], None, 0

    def set_up(self, vault, server):
        """Up to the moment before the run that fails."""
        here = server.services_directory / "nginx"
        server.service("nginx")
        script = here / "reload-and-note"
        script.write_text(RELOAD.format(here=here, live=server.live, name=WWW))
        script.chmod(0o755)
        server.service("nginx", reload=script)
        self.out = server.directory / "out"
        self.out.mkdir(mode=0o755)
        self.neighbour = vault.publish(NEIGHBOUR)
        server.wants(NEIGHBOUR)

    def wants_www(self, server):
        server.wants(WWW, services=["nginx"], owner="nobody", combined=True, cert_path=self.out / "cert.pem",
                     key_path=self.out / "key.pem", **self.keys)

    def has_www(self, vault, server):
        """An installed WWW; its leaf."""
        leaf = vault.publish(WWW)
        self.wants_www(server)
        assert server.sync().exit == 0
        return leaf

    def boot(self, server):
        """The service starts."""
        serving, live = server.services_directory / "nginx" / "serving", server.live / WWW / "cert.pem"
        serving.unlink(missing_ok=True)
        if live.exists():
            serving.write_text(live.read_text())

    # Right after the fault

    def harm(self, server):
        """Rule 2, and what was served is still served."""
        complaints = []
        for name, leaves in ((WWW, self.leaves), (NEIGHBOUR, self.neighbours())):
            live = server.installed(name) if (server.live / name).exists() else None
            if live and not live.matches:
                complaints.append(f"{name}: certificate, chain and key do not match")
            if (live and live.fingerprint) not in [leaf and leaf.fingerprint for leaf in leaves]:
                complaints.append(f"{name}: {live and live.fingerprint} is live")
        for file, texts in (("cert.pem", [leaf.cert for leaf in self.leaves if leaf]),
                            ("key.pem", [leaf.key for leaf in self.leaves if leaf])):
            if (self.out / file).exists() and (self.out / file).read_text() not in texts:
                complaints.append(f"{file} outside is not whole")
            elif None not in self.leaves and not (self.out / file).exists():
                complaints.append(f"{file} outside is gone")
        return complaints

    def neighbours(self):
        return [self.neighbour]

    # In the end

    def lacks(self, server):
        """What is not as wanted."""
        live = server.installed(WWW)
        if live is None or live.fingerprint != self.goal.fingerprint or not live.matches:
            return [f"live is {live and live.fingerprint}, wanted {self.goal.fingerprint}"]
        complaints = self.leftovers(server)
        if len(server.generations(WWW)) != 1 + self.spare:
            complaints.append(f"generations {server.generations(WWW)}, live is {live.generation}")
        for file, text in (("cert.pem", live.cert), ("key.pem", live.privkey)):
            if not (self.out / file).exists() or (self.out / file).read_text() != text:
                complaints.append(f"{file} outside is another one, or gone")
        if live.modes["privkey.pem"] != 0o600 or live.facts["privkey.pem"].st_uid == 0:
            complaints.append("owner or mode of the key")
        serving = server.services_directory / "nginx" / "serving"
        if not serving.exists() or serving.read_text() != live.cert:
            complaints.append("the service was not told to serve what is live")
        return complaints + self.told(server)

    def unfinished(self, server):
        """What makes exit 0 of .verb a lie."""
        return self.lacks(server)

    def told(self, server):
        """What status.json says, as long as all is well."""
        certificate, service = server.certificate_status(WWW), server.service_status("nginx")
        if certificate["problem"] or certificate["fingerprint"] != self.goal.fingerprint:
            return [f"status.json: {certificate}"]
        return [f"status.json: {service}"] if service["state"] != "ok" or service["reload_owed"] else []

    def leftovers(self, server):
        complaints = [f"left over: {path}" for top in (server.etc, server.state_directory, server.run_directory, self.out)
                      for path in top.rglob(".*")]
        names = {WWW, NEIGHBOUR} & set(server.certificates)
        for top in (server.live, server.archive):
            complaints += [f"left over: {path}" for path in top.iterdir() if path.name not in names]
        if len(server.generations(NEIGHBOUR)) != 1:
            complaints.append(f"{NEIGHBOUR}: generations {server.generations(NEIGHBOUR)}")
        for path in server.archive.glob("*/*"):
            if "origin" not in [file.name for file in path.iterdir()]:
                complaints.append(f"half of a generation: {path}")
        return complaints

    def epilogue(self, vault, server):
        """More that has to work in the end."""
        return []


class Install(Scenario):
    name = "install"

    def set_up(self, vault, server):
        super().set_up(vault, server)
        assert server.sync().exit == 0
        self.goal = vault.publish(WWW)
        self.leaves = [None, self.goal]
        self.wants_www(server)


class Renewal(Scenario):
    name = "renewal"

    def set_up(self, vault, server):
        super().set_up(vault, server)
        old = self.has_www(vault, server)
        self.goal = vault.publish(WWW)
        self.leaves = [old, self.goal]


class Copy(Renewal):
    name = "copy"
    keys = {"install": "copy"}


class Cure(Scenario):
    """A file of what is installed was lost."""

    name = "cure"

    def set_up(self, vault, server):
        super().set_up(vault, server)
        self.goal = self.has_www(vault, server)
        self.leaves = [self.goal]
        (server.installed(WWW).directory / "combined.pem").unlink()

    def lacks(self, server):
        return super().lacks(server) or ([] if server.installed(WWW).combined else ["combined.pem is still lost"])


class RollBack(Renewal):
    """The service refuses the new certificate when it is reloaded."""

    name = "roll-back"
    exit = 2

    def set_up(self, vault, server):
        super().set_up(vault, server)
        server.rejects("nginx", self.goal, "reload")
        self.goal, self.new = self.leaves
        self.spare = 1  # the candidate

    def unfinished(self, server):
        return ["the new certificate was refused"]

    def told(self, server):
        certificate = server.certificate_status(WWW)
        return [] if certificate["problem"] == "quarantined" else [f"status.json: {certificate}"]

    def epilogue(self, vault, server):
        server.mends("nginx")
        run = server.sync(WWW)
        live = server.installed(WWW)
        if run.exit != 0 or live.fingerprint != self.new.fingerprint or len(server.generations(WWW)) != 1:
            return [f"mended, --sync {WWW}: exit {run.exit}, generations {server.generations(WWW)}: {run.output}"]
        return []


class Guilty(RollBack):
    """Its test fails as soon as the new certificate is live."""

    name = "guilty"

    def set_up(self, vault, server):
        Renewal.set_up(self, vault, server)
        server.rejects("nginx", self.goal, "test")
        self.goal, self.new = self.leaves
        self.spare = 1

    def told(self, server):
        certificate = server.certificate_status(WWW)
        return [] if certificate["problem"] == "failed" else [f"status.json: {certificate}"]


class Deletion(Scenario):
    name = "deletion"

    def set_up(self, vault, server):
        super().set_up(vault, server)
        self.leaves = [self.has_www(vault, server), None]
        server.unwants(WWW)

    def lacks(self, server):
        complaints = self.leftovers(server) + [f"left over: {path}" for path in self.out.iterdir()]
        if server.certificate_status(WWW) is not None:
            complaints.append(f"status.json: {server.certificate_status(WWW)}")
        return complaints


class DeletionOfCopies(Deletion):
    name = "deletion-of-copies"
    keys = {"install": "copy"}


class Purge(Deletion):
    name = "purge"
    verb = again = ("--purge",)

    def set_up(self, vault, server):
        Scenario.set_up(self, vault, server)
        self.leaves = [self.has_www(vault, server), None]

    def neighbours(self):
        return [self.neighbour, None]

    def lacks(self, server):
        left = [*self.out.iterdir(), *server.state_directory.glob("*"), *server.live.parent.glob("live*"),
                *server.live.parent.glob("archive*"), *server.etc.glob(".*")]
        left += [path for path in server.run_directory.iterdir() if path.name != "lock"]
        return [f"left over: {path}" for path in left]


class Regret(Purge):
    """A purge that fails, and whose certificates are wanted after all."""

    name = "regret"
    again = ("--sync",)

    def set_up(self, vault, server):
        super().set_up(vault, server)
        self.goal = self.leaves[0]

    def unfinished(self, server):
        return Purge.lacks(self, server)

    def lacks(self, server):
        return Scenario.lacks(self, server)


class Adopt(Install):
    """Another tool's files stand where the outputs are to be."""

    name = "adopt"
    keys = {"adopt": True}

    def set_up(self, vault, server):
        super().set_up(vault, server)
        self.theirs = {"cert.pem": "their certificate\n", "key.pem": "their key\n"}
        for file, text in self.theirs.items():
            (self.out / file).write_text(text)
            (self.out / file).chmod(0o640)

    def kept(self, server):
        return sorted(path.read_text() for path in server.state_directory.glob("adopted/[!.]*"))

    def harm(self, server):
        """What is theirs is in its place, or kept; nothing is cut short."""
        complaints = []
        for file, text in self.theirs.items():
            stands = self.stands(file)
            if stands != text and text not in self.kept(server):
                complaints.append(f"their {file} is lost")
            if stands not in (text, self.goal.cert, self.goal.key, *self.may_be_gone()):
                complaints.append(f"{file} outside is not whole")
        return complaints + [complaint for complaint in super().harm(server) if "outside" not in complaint]

    def stands(self, file):
        return (self.out / file).read_text() if (self.out / file).exists() else None

    def may_be_gone(self):
        return ()

    def lacks(self, server):
        return super().lacks(server) + ([] if self.kept(server) == sorted(self.theirs.values()) else [f"kept: {self.kept(server)}"])

    def epilogue(self, vault, server):
        run = server.run("--purge", "--restore")
        return [] if run.exit == 0 and not self.not_back() else [f"--purge --restore: exit {run.exit}: {run.output}"]

    def not_back(self):
        return [f"their {file} is not back" for file, text in self.theirs.items()
                if self.stands(file) != text or (self.out / file).is_symlink() or (self.out / file).stat().st_mode & 0o7777 != 0o640]


class Restore(Adopt):
    """They are put back, where copies stand."""

    name = "restore"
    keys = {"adopt": True, "install": "copy"}
    verb = again = ("--purge", "--restore")

    def set_up(self, vault, server):
        super().set_up(vault, server)
        assert server.sync().exit == 0

    def neighbours(self):
        return [self.neighbour, None]

    def may_be_gone(self):
        return (None,)

    def lacks(self, server):
        left = [*server.state_directory.glob("*"), *server.live.parent.glob("live*"), *server.live.parent.glob("archive*"),
                *self.out.glob(".*"), *server.etc.glob(".*")]
        left += [path for path in server.run_directory.iterdir() if path.name != "lock"]
        return self.not_back() + [f"left over: {path}" for path in left]

    def epilogue(self, vault, server):
        return []


SCENARIOS = [Install, Renewal, Cure, RollBack, Guilty, Copy, Deletion, DeletionOfCopies, Purge, Regret, Adopt, Restore]
