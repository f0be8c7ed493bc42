"""
A recording of what a run did to the disk, what of it a power cut can take away, and what it must not be able to.

The model is stricter than most file systems: a file's contents, owner and mode are safe from the next fsync of it on, a
name made, moved or taken away from the next fsync of its directory on; until then each may be lost on its own. Only the
process that was started writes below the machine's directory; /run is empty after a power cut.
"""

import itertools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

TRACE = ("trace=openat,open,creat,write,pwrite64,writev,fsync,fdatasync,fchmod,fchown,chmod,chown,fchmodat,fchownat,mkdir,mkdirat,"
         "symlink,symlinkat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,truncate,ftruncate,fallocate,"
         "copy_file_range,sendfile,clone,clone3,vfork,fork")
STEPS = {"clone", "clone3", "vfork", "fork"}  # a service's command, for one, acts on what it finds
SUBSETS_OF = 5
TEXT = r'"((?:[^"\\]|\\.)*)"'
OPENED = r"(?:\d+|AT_FDCWD)<([^>]*)>"
UMASK = 0o077

SHAPES = {  # how strace shows the calls that the agent makes; any other one that succeeds is not understood
    "create": rf"openat\({OPENED}, {TEXT}, [^)]*O_CREAT.*\) = \d+<([^>]*)>",
    "write": rf"write\(\d+<([^>]*)>, {TEXT}, \d+\) = (\d+)",
    "sync": r"fsync\(\d+<([^>]*)>\) = 0",
    "mode": r"fchmod\(\d+<([^>]*)>, (\d+)\) = 0",
    "owner": r"fchown\(\d+<([^>]*)>, (\d+), (\d+)\) = 0",
    "directory": rf"mkdirat\({OPENED}, {TEXT}, (\d+)\) = 0",
    "link": rf"symlinkat\({TEXT}, {OPENED}, {TEXT}\) = 0",
    "rename": rf"renameat\({OPENED}, {TEXT}, {OPENED}, {TEXT}\) = 0",
    "remove": rf"unlinkat\({OPENED}, {TEXT}, (?:0|AT_REMOVEDIR)\) = 0",
    "remove whole": rf"(?:rmdir|unlink)\({TEXT}\) = 0",
}
NAMES = {"create", "directory", "link", "rename", "remove"}  # these change a directory
CONTENTS = {"write", "mode", "owner"}


class Node:
    """A file, directory or link, under whatever name."""


@dataclass(eq=False)
class Operation:
    what: str
    line: str
    path: Path = None  # where it is, or comes to be
    node: Node = None
    before: Path = None  # of a rename
    value: object = None

    @property
    def directory(self):
        return self.path.parent


@dataclass(eq=False)
class Recording:
    operations: list = field(default_factory=list)

    def without(self, operation):
        return Recording([one for one in self.operations if one is not operation])

    def of_kind(self, what):
        return [one for one in self.operations if one.what == what]


def read_text(text):
    return text.encode("latin1").decode("unicode_escape").encode("latin1")


def read(trace, top, but):
    """The recording in a trace: what was done below `top`, but not below `but`."""
    operations, nodes = [], {}

    def note(what, line, path, before=None, value=None):
        if Path(top) not in path.parents or path == but or but in path.parents:
            return
        if what in ("create", "directory", "link"):
            nodes[path] = Node()
        if what == "rename":
            nodes[path] = nodes.pop(before, None) or Node()
        node = nodes.setdefault(path, Node())
        if what == "remove":
            del nodes[path]
        operations.append(Operation(what, line, path, node, before, value))

    for line in trace.splitlines():
        call = line.partition("(")[0]
        if call in STEPS:
            operations.append(Operation("step", line))
            continue
        what, found = next(((what, found) for what, shape in SHAPES.items() if (found := re.match(shape, line))), (None, None))
        if found is None:
            harmless = re.search(r"\) = -1 E", line) or (call in ("openat", "open") and "O_CREAT" not in line) \
                or call == "write" or str(top) not in line
            assert harmless, f"what does this do? {line}"
            continue
        groups = found.groups()
        if what == "create":
            if Path(groups[2]) not in nodes and "O_EXCL" in line:
                note(what, line[:200], Path(groups[2]))
        elif what == "write":
            note(what, line[:80], Path(groups[0]), value=read_text(groups[1])[:int(groups[2])])
        elif what == "sync":
            note(what, line, Path(groups[0]))
        elif what == "mode":
            note(what, line, Path(groups[0]), value=int(groups[1], 8))
        elif what == "owner":
            note(what, line, Path(groups[0]), value=(int(groups[1]), int(groups[2])))
        elif what == "directory":
            note(what, line, Path(groups[0], groups[1]), value=int(groups[2], 8) & ~UMASK)
        elif what == "link":
            note(what, line, Path(groups[1], groups[2]), value=groups[0])
        elif what == "rename":
            note(what, line, Path(groups[2], groups[3]), before=Path(groups[0], groups[1]))
        elif what == "remove":
            note(what, line, Path(groups[0], groups[1]))
        else:
            note("remove", line, Path(groups[0]))
    return Recording(operations)


def is_safe_by(operation, sync):
    """Does this fsync make that operation durable?"""
    if operation.what in CONTENTS:
        return operation.node is sync.node
    return operation.what in NAMES and sync.path in (operation.directory, operation.before and operation.before.parent)


def walk(recording):
    """Each operation, with what was not durable yet when it began; at last None with what never was."""
    pending = []
    for operation in recording.operations:
        yield operation, list(pending)
        if operation.what == "sync":
            pending = [one for one in pending if not is_safe_by(one, operation)]
        elif operation.what in NAMES | CONTENTS:
            pending.append(operation)
        if operation.what == "remove":  # what was below it is gone with it
            pending = [one for one in pending if operation.path not in one.path.parents]
    yield None, pending


# What must not be

def lapses(recording, archive):
    """What a power cut could turn against certlet."""
    wrong, links = [], {}
    for operation, pending in walk(recording):
        if operation is not None and operation.what == "link":
            links[operation.node] = operation.directory / operation.value
        for one in pending:
            reason = lapse(operation, one, links, archive)
            if reason:
                wrong.append(f"{reason}:\n      {one.line}\n      {operation.line if operation else 'the end'}")
    return wrong


def lapse(operation, one, links, archive):
    """Why `one`, which is not durable, had to be so before this operation; None: it had not."""
    if operation is None or operation.what == "step":
        return "never made durable" if operation is None else "not durable when a process was started"
    if operation.what == "rename":
        if one.node is operation.node and one.what in CONTENTS:
            return "renamed before its contents were durable"
        shown = links.get(operation.node)
        if shown is not None and Path(os.path.normpath(shown)) in (one.path, *one.path.parents):
            return "shown by a link before it was durable"
        if operation.path.name in ("state.json", "status.json") and one.what in NAMES and one.node is not operation.node:
            return "not durable when it was said to be done"
    if operation.what == "remove" and archive in operation.path.parents and one.what in NAMES and archive not in one.path.parents:
        return "not durable when a generation was removed"
    return None


def is_repeated(recording, sync):
    """The next fsync is of the same directory, or that is removed before it: this one alone may be left out."""
    for later in recording.operations[recording.operations.index(sync) + 1:]:
        if later.what in ("sync", "remove") and later.path == sync.path:
            return True
        if later.what == "sync":
            return False
    return False


# What can be left

def cuts(recording):
    """
    {name: the operations that are not lost} for the power cuts that can leave something else: at each fsync, what was not
    durable by then is lost in all combinations or, where that is too many, from one on, one alone, all but one.
    """
    done = []
    for point, (operation, pending) in enumerate(walk(recording)):
        if operation is None or operation.what == "sync":
            for lost in losses(len(pending)):
                gone = {id(pending[index]) for index in lost}
                yield f"{point}-{sum(1 << index for index in lost):x}", [one for one in done if id(one) not in gone]
        if operation is not None and operation.what in NAMES | CONTENTS:
            done.append(operation)


def losses(count):
    everything = range(count)
    if count <= SUBSETS_OF:
        return {lost for size in range(count + 1) for lost in itertools.combinations(everything, size)}
    return {lost for index in everything for lost in (
        tuple(range(index, count)), (index,), tuple(one for one in everything if one != index))} | {()}


def replay(operations):
    """Does this to the disk; what cannot be done, because something before it was lost, is lost too."""
    places = {}  # of what was made meanwhile, or is not moved
    for operation in operations:
        try:
            do(operation, places)
        except (FileNotFoundError, FileExistsError, NotADirectoryError):
            continue
        except OSError as error:
            if operation.what != "remove" or not operation.path.is_dir():
                raise AssertionError(f"{operation.line}: {error}") from error


def do(operation, places):
    path = operation.path
    if operation.what in CONTENTS:
        path = places.get(operation.node, path)
    if operation.what == "create":
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        places[operation.node] = path
    elif operation.what == "write":
        with open(path, "r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(operation.value)
    elif operation.what == "mode":
        path.chmod(operation.value)
    elif operation.what == "owner":
        os.chown(path, *operation.value)
    elif operation.what == "directory":
        path.mkdir()
        path.chmod(operation.value)
    elif operation.what == "link":
        path.symlink_to(operation.value)
    elif operation.what == "rename":
        operation.before.rename(path)
        places[operation.node] = path
    elif path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()
