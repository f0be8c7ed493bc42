"""One scenario on a machine of its own, and strace, which makes one system call of certlet's fail."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.machine import Run

PATIENCE = 60
MAIN_BEGINS = '"/dev/null", O_RDWR)'  # the first call of main()


@dataclass(frozen=True)
class Fault:
    call: str
    what: str  # an errno, or KILL
    number: int

    def inject(self):
        what = f"signal={self.what}" if self.what == "KILL" else f"error={self.what}"
        return f"inject={self.call}:{what}:when={self.number}"


def tree(top):
    """{path: kind, mode, owner and contents} of everything below."""
    facts = {}
    for folder, folders, files in os.walk(top):
        for path in (Path(folder, name) for name in folders + files):
            info = path.lstat()
            held = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            facts[str(path.relative_to(top))] = info.st_mode, info.st_uid, info.st_gid, held
    return facts


class Stage:
    def __init__(self, scenario, vault, server, directory):
        self.scenario, self.vault, self.server = scenario, vault, server
        self.directory, self.saved, self.trace = directory, directory / "before", directory / "trace"
        scenario.set_up(vault, server)
        server.write_manifest()
        self._copy(server.directory, self.saved)
        self.calls = self._record()

    def _copy(self, source, target):
        subprocess.run(["cp", "-a", source, target], check=True)

    def back(self):
        """To the moment before the run that fails."""
        shutil.rmtree(self.server.directory)
        self._copy(self.saved, self.server.directory)

    def _record(self):
        """{call: the numbers of its calls after main() began}, of a run in which nothing fails."""
        self.run(["strace", "-qq", "-o", self.trace])
        counts, calls, begun = {}, {}, False
        for line in self.trace.read_text(errors="replace").splitlines():
            begun |= MAIN_BEGINS in line
            match = re.match(r"(\w+)\(", line)
            if match:
                call = match.group(1)
                counts[call] = counts.get(call, 0) + 1
                if begun:
                    calls.setdefault(call, []).append(counts[call])
        complaints = self.scenario.lacks(self.server) if self.scenario.verb == self.scenario.again else []
        assert calls and not complaints, complaints
        return calls

    def run(self, under=(), env=None):
        """The scenario's run to its end; one that hangs is killed with all its processes."""
        started = self.server.start(*self.scenario.verb, under=under, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = started.communicate(timeout=PATIENCE)
            code = started.returncode
        except subprocess.TimeoutExpired:
            code = "hung"
            os.killpg(started.pid, signal.SIGKILL)
            output, _ = started.communicate()
        return Run(code, output.decode(errors="replace"), "", 0)

    def fail(self, fault, follow=False):
        """
        Puts the stage back and runs with this fault; what is to be complained of afterwards, None when the run did
        not come to it. Only certlet itself fails, with `follow` any of its processes.
        """
        self.back()
        run = self.run(["strace", *(["-f"] if follow else []), "-qq", "-o", self.trace, "-e", f"trace={fault.call}", "-e", fault.inject()])
        if not self._came_to(run, fault):
            return None
        touched = self.changed() if run.exit == 1 else []
        return [f"exit 1, but {name} was touched" for name in touched] + self.judge(run, killed=fault.what == "KILL" and not follow)

    def _came_to(self, run, fault):
        return run.exit == -signal.SIGKILL if fault.what == "KILL" else "(INJECTED)" in self.trace.read_text(errors="replace")

    def changed(self):
        """What is not as it was before the run; its lock aside."""
        before, after = tree(self.saved), tree(self.server.directory)
        return sorted(name for name in before.keys() | after.keys()
                      if before.get(name) != after.get(name) and name not in ("run", "run/lock"))

    def judge(self, run, killed=False, crashed=False):
        """What is wrong after this run of certlet, then after the next one."""
        scenario, server = self.scenario, self.server
        complaints = scenario.harm(server)
        if killed != (run.exit == -signal.SIGKILL) or (not killed and not crashed and run.exit not in range(6)):
            complaints.append(f"exit {run.exit}")
        if run.exit == 0:
            complaints += [f"exit 0, but {lack}" for lack in scenario.unfinished(server)]
        return self._finish(complaints, f"{run.output}[exit {run.exit}]")

    def judge_as_it_lies(self):
        """The same when there was no run that could say anything."""
        return self._finish(self.scenario.harm(self.server), "")

    def boot(self):
        """After a power cut: what was in memory is gone, and services read what is live."""
        shutil.rmtree(self.server.run_directory, ignore_errors=True)
        self.scenario.boot(self.server)

    def _finish(self, complaints, output):
        scenario, server = self.scenario, self.server
        again = server.run(*scenario.again)
        after = scenario.harm(server)
        if again.exit != scenario.exit:
            after.append(f"exit {again.exit}")
        else:
            after += scenario.lacks(server) or scenario.epilogue(self.vault, server)
        complaints += [f"next run: {complaint}" for complaint in after]
        if complaints:
            complaints += [f"| {line}" for line in f"{output}\n{again.output}[exit {again.exit}]".strip().splitlines()]
        return complaints
