#!/usr/bin/env python3
"""`kin vm` as somebody at a terminal uses it: a shell in the virtual machine, a lab there, and kubectl and
the page from outside. As an ordinary user; root becomes one. Exit 1 at the first thing that is not so.

    KIN=build/release/kin/kin tests/vm/kin_vm.py
"""
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

ORDINARY = 61235
KERNELS = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "kin/vm"
SLOW = int(os.environ.get("KIN_SLOW", "10"))
ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


def become_ordinary(home: pathlib.Path) -> None:
    """A user with a home of their own, and with the kernels that root fetched already."""
    kernels = home / ".cache/kin/vm"
    kernels.parent.mkdir(parents=True)
    if KERNELS.exists():
        linked = subprocess.run(["cp", "-al", KERNELS, kernels], capture_output=True)
        if linked.returncode != 0:  # Another file system, for instance.
            shutil.rmtree(kernels, ignore_errors=True)
            subprocess.run(["cp", "-a", KERNELS, kernels], check=True)
    for folder in [home, home / ".cache", home / ".cache/kin", kernels]:
        if folder.exists():
            os.chown(folder, ORDINARY, ORDINARY)
    os.setgroups([])
    os.setgid(ORDINARY)
    os.setuid(ORDINARY)


class Terminal:
    """A program on a terminal of 40 lines and 100 columns."""

    def __init__(self, *command: str):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            os.execvp(command[0], command)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def wait(self, pattern: str, seconds: int = 10) -> re.Match:
        """The first match in what came since the last one."""
        deadline = time.monotonic() + seconds * SLOW
        while True:
            if found := re.search(pattern, self.seen):
                self.seen = self.seen[found.end():]
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise SystemExit(f"FAIL no {pattern!r} within {seconds * SLOW} s, but:\n{self.seen}")
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:  # The other end is closed.
                raise SystemExit(f"FAIL it ended without {pattern!r}, but:\n{self.seen}") from None
            self.seen = ANSI.sub("", self.seen + chunk.decode(errors="replace"))

    def ended(self) -> int:
        """The exit code, once it has ended."""
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:  # The other end is closed.
            pass
        child, self.child = self.child, 0
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def end(self) -> None:
        if self.child:
            os.kill(self.child, signal.SIGTERM)
            self.ended()


def same(what: str, wanted, got) -> None:
    if wanted != got:
        raise SystemExit(f"FAIL {what}\n  wanted {wanted!r}\n  got    {got!r}")
    print(f"ok   {what}", flush=True)


def names_in(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def kubectl(config: pathlib.Path, *words: str) -> str:
    places = [os.environ.get("KIN_KUBECTL", ""), "/usr/local/lib/kin/kubectl", shutil.which("kubectl") or ""]
    program = next(place for place in places if os.access(place, os.X_OK))
    asked = subprocess.run([program, "--kubeconfig", config, *words], capture_output=True, text=True)
    return " ".join((asked.stdout + asked.stderr).split())


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def try_shell(kin: str, folder: pathlib.Path) -> None:
    shell = Terminal(kin, "vm")
    try:
        shell.wait("A Linux of its own with your files")
        shell.type("PS1='in-vm> '; stty size; id -u; uname -r\n")
        same("the terminal has its size there", "40 100", shell.wait(r"\n(\d+ \d+)\n", 12)[1])
        same("one is there who one is here", str(os.getuid()), shell.wait(r"(\d+)\n")[1])
        kernel = shell.wait(r"(\S+)\n")[1]
        same(f"the kernel is another one, {kernel}", True, kernel != os.uname().release)

        shell.type("(echo sta''rted; exec sleep 1000)\n")
        shell.wait("started\n")
        shell.type("\x03echo interrupted: $?\n")
        same("Ctrl-C reaches what runs there", "130", shell.wait(r"interrupted: (\d+)\n")[1])

        shell.type("kin up -d\n")
        port = int(shell.wait(r"nodes Ready, Kubernetes API \S+ at https://127.0.0.1:(\d+)", 20)[1])
        link = shell.wait(r"page: (http://\S+)")[1]
        shell.type("kin kubeconfig --print >config; kin save lab.kin\n")
        shell.wait("lab kin is in lab.kin")
        same("kubectl outside reaches it, by a kubeconfig in the folder", "node/node-1 node/node-2 node/node-3",
             kubectl(folder / "config", "get", "nodes", "-o", "name"))
        page = subprocess.run(["curl", "-s", link], capture_output=True, text=True).stdout
        same("the page's link opens it", True, "<title>kin</title>" in page)
        shell.type("exit 7\n")
        same("the shell's exit code comes back", 7, shell.ended())
    finally:
        shell.end()
    same("what was written in the folder has stayed", ["config", "lab.kin"], names_in(folder))
    same("nobody listens any more", False, listens(port))


def try_pipe(kin: str) -> None:
    done = subprocess.run([kin, "vm", "--", "sh", "-c", "tty; exit 3"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    same("in a pipe a command has its bytes and its exit code", (3, "not a tty\n"), (done.returncode, done.stdout))


def try_kill(kin: str, scratch: pathlib.Path) -> None:
    verb = subprocess.Popen([kin, "vm", "--", "sleep", "1000"], stdin=subprocess.DEVNULL)
    machine = f"path={scratch}/".encode()  # Of QEMU's command line.

    def runs() -> bool:
        return any(machine in read(process) for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"))

    def read(file: pathlib.Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError:  # It ended meanwhile.
            return b""

    same("it runs", True, until(runs))
    verb.kill()
    verb.wait()
    same("it ends with who started it, also by kill -9", True, until(lambda: not runs()))
    same("and leaves no file", True, until(lambda: not names_in(scratch)))


def until(holds, seconds: int = 10) -> bool:
    deadline = time.monotonic() + seconds * SLOW
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # Between two looks at /proc.
    return True


def main() -> None:
    kin = str(pathlib.Path(os.environ["KIN"]).resolve())
    home = pathlib.Path(tempfile.mkdtemp(prefix="kin-vm-test."))
    home.chmod(0o755)
    tester = os.fork()
    if tester:
        code = os.waitstatus_to_exitcode(os.waitpid(tester, 0)[1])
        shutil.rmtree(home)
        sys.exit(code)
    if os.getuid() == 0:
        become_ordinary(home)
        os.environ["HOME"] = str(home)
        os.environ.pop("XDG_RUNTIME_DIR", None)
    scratch, folder = home / "scratch", home / "folder"
    scratch.mkdir()
    folder.mkdir()
    os.environ["TMPDIR"] = str(scratch)
    os.chdir(folder)
    try_shell(kin, folder)
    try_pipe(kin)
    try_kill(kin, scratch)


main()
