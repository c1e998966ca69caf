"""Runs inside one network namespace: connects to many addresses at the same time, and says what
came of it.

    prober.py [SLOW]    on a machine that is so many times slower than others, as an emulated one

A line of JSON in, a line of JSON out. A cell is [address, protocol, port, expected].
    {"watch": cells}    begins to try these again and again; no answer
    {"since": TIME}     ends that when they have come to what is expected
        -> [SECONDS after TIME, of each watched cell]
    {"check": cells}    tries all of them once
        -> ["open" | "silent" | WORDS, of each cell]
    {"forget": true}    conntrack forgets all flows of this network -> true

SCTP needs no socket of that kind in the kernel: probers send INIT chunks and answer those of
others.
"""

import errno
import json
import os
import select
import socket
import struct
import sys
import time

SLOW = int(sys.argv[1]) if len(sys.argv) > 1 else 1
INTERVAL = 0.005 * SLOW  # between two attempts of a watched cell
QUIET = 0.04 * SLOW  # an attempt without an answer for so long is silence
WAVE_QUIET = 0.08 * SLOW  # the same for a cell of the table
PATIENCE = 0.9 * SLOW  # before TCP repeats its SYN; and what an answer may take on a busy machine
LIMIT = 2.0 * SLOW  # a watch ends then, settled or not
SAME = 4  # attempts in a row that make a watched cell settled
SCTP = 132
INIT, INIT_ACK = 1, 2

crc_table = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
    crc_table.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ crc_table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def sctp_packet(source, destination, tag, chunk):
    body = struct.pack(">BBHLLHHL", chunk, 0, 20, 7, 65536, 1, 1, 1)
    head = struct.pack(">HHL", source, destination, tag)
    return head + struct.pack("<L", crc32c(head + bytes(4) + body)) + body


def forget_flows():
    """Netlink's delete of conntrack without a flow: of all of them."""
    netfilter, delete, flags = 12, 1 << 8 | 2, 1 | 4  # a request, to be answered
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netfilter) as one:
        one.send(struct.pack("=LHHLLBBH", 20, delete, flags, 1, 0, socket.AF_INET, 0, 0))
        failed = struct.unpack("=l", one.recv(4096)[16:20])[0]
        return failed == 0


class Attempt:
    """One try; `outcome` is None until something came back."""

    def __init__(self, cell):
        self.cell = cell
        self.start = time.monotonic()
        self.outcome = None
        self.socket = None


class Prober:
    def __init__(self):
        self.poll = select.epoll()
        self.attempts = {}  # by descriptor
        self.sctp_attempts = {}  # by address and our port
        self.sctp_port = 10000
        try:
            self.sctp = socket.socket(socket.AF_INET, socket.SOCK_RAW, SCTP)
            self.sctp.setblocking(False)
            self.poll.register(self.sctp, select.EPOLLIN)
        except PermissionError:
            self.sctp = None
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.buffer = b""
        self.watched, self.tries, self.next_try = [], [], 0.0

    # Attempts.
    def start(self, cell):
        attempt = Attempt(cell)
        address, protocol, port = cell[:3]
        try:
            if protocol == "SCTP":
                self.sctp_port = 10000 + (self.sctp_port - 9999) % 50000
                self.sctp_attempts[address, self.sctp_port] = attempt
                self.sctp.sendto(sctp_packet(self.sctp_port, port, 0, INIT), (address, 0))
                return attempt
            kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
            one = attempt.socket = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
            if protocol == "TCP":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            failed = one.connect_ex((address, port))
            if failed not in (0, errno.EINPROGRESS):
                raise OSError(failed, os.strerror(failed))
            if protocol == "UDP":
                one.send(b"hostname")
            self.attempts[one.fileno()] = attempt
            self.poll.register(one, select.EPOLLOUT if protocol == "TCP" else select.EPOLLIN)
        except OSError as error:
            self.end(attempt, os.strerror(error.errno))
        return attempt

    def end(self, attempt, outcome=None):
        if outcome and not attempt.outcome:
            attempt.outcome = outcome
        if attempt.socket:
            self.attempts.pop(attempt.socket.fileno(), None)
            attempt.socket.close()
            attempt.socket = None

    def on_socket(self, attempt):
        failed = attempt.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not failed and attempt.cell[1] == "UDP":
            try:
                attempt.socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as error:
                failed = error.errno
        self.end(attempt, os.strerror(failed) if failed else "open")

    def on_sctp(self):
        while True:
            try:
                packet, (address, _) = self.sctp.recvfrom(4096)
            except BlockingIOError:
                return
            segment = packet[(packet[0] & 15) * 4 :]
            if len(segment) < 20:
                continue
            source, destination = struct.unpack(">HH", segment[:4])
            if segment[12] == INIT:
                tag = struct.unpack(">L", segment[16:20])[0]
                answer = sctp_packet(destination, source, tag, INIT_ACK)
                try:
                    self.sctp.sendto(answer, (address, 0))
                except OSError:
                    pass  # Who asks again and again sees that it is silent.
            elif segment[12] == INIT_ACK:
                attempt = self.sctp_attempts.pop((address, destination), None)
                if attempt:
                    attempt.outcome = "open"

    def turn(self, until):
        """Waits for events until then. A line of the input, if one is there."""
        wait = max(0.0, until - time.monotonic())
        for descriptor, _ in self.poll.poll(wait):
            if descriptor == sys.stdin.fileno():
                data = os.read(descriptor, 1 << 16)
                if not data:
                    sys.exit(0)
                self.buffer += data
            elif self.sctp and descriptor == self.sctp.fileno():
                self.on_sctp()
            elif descriptor in self.attempts:
                self.on_socket(self.attempts[descriptor])
        if b"\n" not in self.buffer:
            return None
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    # The watch.
    def try_watched(self):
        now = time.monotonic()
        if now < self.next_try:
            return
        self.next_try = now + INTERVAL
        for cell, tries in zip(self.watched, self.tries):
            tries.append(self.start(cell))

    @staticmethod
    def decided(tries, now):
        return [one for one in tries if one.outcome or now - one.start > QUIET]

    def settled(self, cell, tries, since):
        """Whether its last attempts are all as expected."""
        last = [one for one in self.decided(tries, time.monotonic()) if one.start >= since][-SAME:]
        return len(last) == SAME and all((one.outcome == "open") == cell[3] for one in last)

    def settled_after(self, cell, tries, since):
        """When the first attempt began after which all were as expected. None: not yet."""
        tries = self.decided(tries, time.monotonic())
        wrong = [i for i, one in enumerate(tries) if (one.outcome == "open") != cell[3]]
        first = wrong[-1] + 1 if wrong else 0
        return max(0.0, tries[first].start - since) if first < len(tries) else None

    def finish_watch(self, since):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if all(self.settled(*both, since) for both in zip(self.watched, self.tries)):
                break
            self.try_watched()
            self.turn(min(end, self.next_try))
        out = [self.settled_after(*both, since) for both in zip(self.watched, self.tries)]
        for tries in self.tries:
            for attempt in tries:
                self.end(attempt)
        self.watched, self.tries = [], []
        return out

    # The table.
    def wave(self, cells):
        attempts = [self.start(cell) for cell in cells]
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + PATIENCE:
            waiting = any(one.cell[3] and not one.outcome for one in attempts)
            if not waiting and now >= begin + WAVE_QUIET:
                break
            self.turn(begin + (PATIENCE if waiting else WAVE_QUIET))
        for attempt in attempts:
            self.end(attempt)
        self.sctp_attempts.clear()
        return [attempt.outcome or "silent" for attempt in attempts]

    def run(self):
        print(json.dumps({"sctp": self.sctp is not None}), flush=True)
        while True:
            self.try_watched()
            asked = self.turn(self.next_try if self.watched else time.monotonic() + 3600)
            if asked:
                self.obey(asked)

    def obey(self, asked):
        if "watch" in asked:
            self.watched = asked["watch"]
            self.tries = [[] for _ in self.watched]
            return
        if "since" in asked:
            answer = self.finish_watch(asked["since"])
        else:
            answer = self.wave(asked["check"]) if "check" in asked else forget_flows()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    Prober().run()
