#!/usr/bin/env python3
"""Types the commands that a document shows, and compares what they print with what it says.

    transcript.py FILE

A YAML file is read by the comments at its head, a Markdown file by its blocks ```console; one that
is ```console ptp or ```console bridge is true of a lab with that --cni only:

    $ COMMAND            typed into one bash for the whole document; a line that ends in \\ goes on
    OUTPUT               what is printed on stdout and stderr; without any, the command must succeed

What stands for what changes from run to run:

    ...                  in a line: anything, with the blanks around it; alone on a line: any number
                         of lines, also none
    10.244.2.3           a pod's address, 10.244.2.1 its gateway's, 10.244.2.0/24 its node's block,
                         10.96.241.6 a ClusterIP, 172.30.200.2 a load balancer, node-1 a node,
                         172.30.0.2 its address, 127.0.0.1:8080 a port of this machine,
                         5d8c9f7b44-x2x9k the end of a Deployment's pod, veth1732e409: whatever there
                         is at first, and from then on that alone, also in commands that are typed.
                         Two of them never stand for the same. What is typed before it was seen
                         stands for itself.
    12s, 4m10s           a time that has passed: any
    blanks               any number of blanks

A command that only looks is typed again until it shows what it should, for 20 s: a reader waits, too.
Exit 1 at the first document that is not true.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

CNI = os.environ.get("KIN_CNI", "ptp")  # Of the lab that is typed into.
SLOW = int(os.environ.get("KIN_SLOW", "1"))  # How many times slower than others this machine is.
# Seconds for one command that looks. What is not true is looked at for all of them, so they do not stretch far.
DEADLINE = 20 * min(SLOW, 2)
LONGEST = 60 * SLOW  # Seconds after which a command is stuck.

LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
# What changes from run to run: how it is written...
TOKENS = re.compile(
    rf"""(?P<pod>\b10\.244\.\d+\.(?!0\b|1\b)\d+)
       | (?P<gateway>\b10\.244\.\d+\.1\b)
       | (?P<block>\b10\.244\.\d+\.0/24)
       | (?P<node>\bnode-\d+\b)
       | (?P<machine>\b172\.30\.0\.(?!0\b|1\b)\d+)
       | (?P<service>\b10\.96\.(?!0\.\d\b|0\.10\b)\d+\.\d+)
       | (?P<balancer>\b172\.30\.200\.\d+)
       | (?P<published>\b127\.0\.0\.1:\d+)
       | (?P<suffix>\b{LETTERS}{{8,10}}-{LETTERS}{{5}}\b)
       | (?P<veth>\bveth[0-9a-f]{{8}}\b)
       | (?P<age>(?<![\w.=/-])(?:\d+[dhms])+(?![\w-]))
       | (?P<any>[ ]?\.\.\.[ ]?)""",
    re.VERBOSE,
)
# ...and what may stand for it.
CLASSES = {
    "pod": r"10\.244\.\d+\.\d+",
    "gateway": r"10\.244\.\d+\.1",
    "block": r"10\.244\.\d+\.0/24",
    "node": r"node-\d+",
    "machine": r"172\.30\.0\.\d+",
    "service": r"10\.96\.\d+\.\d+",
    "balancer": r"172\.30\.200\.\d+",
    "published": r"127\.0\.0\.1:\d+",
    "suffix": rf"{LETTERS}{{8,10}}-{LETTERS}{{5}}",
    "veth": r"veth[0-9a-f]{8}",
}
# Typed once; all else is typed until it shows what it should.
CHANGES = re.compile(
    r"kubectl (-n \S+ )?(apply|create|delete|label|annotate|scale|patch|run|expose|set|replace)\b"
    r"|\bkin (apply|up|down|reset|node)\b|\bopenssl\b|^\w+=|\bexport\b"
    r"|\bcurl\b.* (-X|-d|-T|--data\S*) ?"
)


class Untrue(Exception):
    """The document says something that is not so."""


def shown_in(path):
    """The lines of commands and outputs, without what surrounds them; None ends a block."""
    yaml = path.endswith(".yaml")
    fenced = False
    with open(path, encoding="utf-8") as file:
        for line in map(str.rstrip, file):
            if yaml:
                if not line.startswith("#"):
                    return
                yield line[4:] if line == "#" or line.startswith("#   ") else None
            elif line.lstrip().startswith("```"):
                fenced = line.strip() in ("```console", "```console " + CNI)
                yield None
            elif fenced:
                yield line


def steps_in(lines):
    """(command, expected lines), in order."""
    steps, goes_on, inside = [], False, False
    for line in lines:
        if line is None:
            inside = False
        elif goes_on:
            steps[-1] = (steps[-1][0] + "\n" + line, [])
            goes_on = line.endswith("\\")
        elif line.startswith("$ "):
            steps.append((line[2:], []))
            goes_on, inside = line.endswith("\\"), True
        elif inside:
            steps[-1][1].append(line)
        elif line and steps:  # Before the first command there may be a picture.
            raise Untrue(f"output without a command: {line}")
    return [(command, trimmed(expected)) for command, expected in steps]


def trimmed(lines):
    """Blanks in one form, none at the ends, no empty lines after the last."""
    lines = [" ".join(line.split()) for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


class Names:
    """Which of this run's values a document's values stand for."""

    def __init__(self):
        self.meaning = {}

    def translate(self, command):
        """With this run's values; what was not seen before it is typed stands for itself."""

        def real(token):
            if token.lastgroup in ("age", "any"):
                return token[0]
            return self.meaning.setdefault(token[0], token[0])

        return TOKENS.sub(real, command)

    def pattern(self, expected):
        groups = {}
        parts = [
            r"(?:[^\n]*\n)*?" if line == "..." else self._line(line, groups) + r"\n"
            for line in expected
        ]
        return re.compile("".join(parts)), groups

    def _line(self, line, groups):
        text, at = "", 0
        for token in TOKENS.finditer(line):
            text += re.escape(line[at : token.start()]) + self._token(token, groups)
            at = token.end()
        return text + re.escape(line[at:])

    def _token(self, token, groups):
        written, kind = token[0], token.lastgroup
        if kind == "any":
            return r"[^\n]*?"
        if kind == "age":
            return r"(?:\d+[dhms])+"
        if written in self.meaning:
            return re.escape(self.meaning[written]) + r"(?!\d)"
        if written in groups.values():
            return f"(?P={next(name for name in groups if groups[name] == written)})"
        name = f"t{len(groups)}"
        groups[name] = written
        return f"(?P<{name}>{CLASSES[kind]})(?!\\d)"

    def matches(self, expected, output):
        pattern, groups = self.pattern(expected)
        found = pattern.fullmatch("".join(line + "\n" for line in output))
        if not found:
            return False
        meaning = self.meaning | {written: found[name] for name, written in groups.items()}
        if len(set(meaning.values())) != len(meaning):
            return False
        self.meaning = meaning
        return True


class Shell:
    """One bash for the whole document, so that variables stay."""

    END = "transcript-ends-here"

    def __init__(self):
        self.bash = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, command):
        """(exit code, lines)"""
        self.bash.stdin.write(
            f"{{ {command}\n}} </dev/null 2>&1; printf '\\n{self.END} %d\\n' $?\n"
        )
        self.bash.stdin.flush()
        stuck = threading.Timer(LONGEST, os.killpg, (self.bash.pid, signal.SIGKILL))
        stuck.start()
        lines = []
        for line in self.bash.stdout:
            if line.startswith(self.END):
                stuck.cancel()
                return int(line.split()[1]), trimmed(lines)
            lines.append(line)
        stuck.cancel()
        raise Untrue(f"after {LONGEST} s it has not ended, or it ended the shell: $ {command}")

    def close(self):
        self.bash.stdin.close()
        self.bash.wait()


def follow(step, shell, names):
    written, expected = step
    command = names.translate(written)
    deadline = time.monotonic() + DEADLINE
    while True:
        code, output = shell.type(command)
        if names.matches(expected, output) if expected else code == 0:
            return
        if CHANGES.search(written) or time.monotonic() > deadline:
            break
        time.sleep(0.2)  # Between two looks, as a reader would.
    said = "".join(f"\n    {line}" for line in expected) or "\n    (nothing: it should succeed)"
    got = "".join(f"\n    {line}" for line in output)
    raise Untrue(f"$ {command}\n  the document says:{said}\n  it printed (exit {code}):{got}")


def main(path):
    steps = steps_in(shown_in(path))
    if not steps:
        raise Untrue("it shows no command")
    names, shell = Names(), Shell()
    for step in steps:
        follow(step, shell, names)
    shell.close()
    print(f"{len(steps)} commands")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Untrue as fault:
        sys.exit(f"{sys.argv[1]}: {fault}")
