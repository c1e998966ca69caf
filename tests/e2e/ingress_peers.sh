#!/bin/bash
# Ingress and peers that are slow, stop or talk for long: WebSockets with traffic both ways, heads that come byte by
# byte beside ordinary requests, readers and writers that stop. INGRESS_SECONDS makes the WebSockets live longer.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
WEBSOCKET_SECONDS=${INGRESS_SECONDS:-$(stretched 5)} SLOW=1000 STALLED=20 MIB_EACH=2
folder=$(mktemp -d)
chmod 777 "$folder"

start_lab
# Answers GET / at once; /endless with bytes without end, and says when nobody takes them; /swallow never reads its
# body; /ws is a WebSocket that echoes every message and says something of its own ten times a second.
cat >"$folder/server.py" <<'PY'
import base64, hashlib, http.server, os, socket, struct, threading
def read_frame(f):
    first, second = f.read(2)
    size = second & 127
    if size == 126: size, = struct.unpack(">H", f.read(2))
    elif size == 127: size, = struct.unpack(">Q", f.read(8))
    mask = f.read(4) if second & 128 else None
    data = f.read(size)
    if mask: data = (int.from_bytes(data, "little") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "little")).to_bytes(size, "little")
    return first, data
def frame(first, data, mask=b""):
    size = len(data)
    head = bytes([first, (128 if mask else 0) | (size if size < 126 else 126 if size < 65536 else 127)])
    if size > 125: head += struct.pack(">H" if size < 65536 else ">Q", size)
    if mask: data = (int.from_bytes(data, "little") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "little")).to_bytes(size, "little")
    return head + mask + data
class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def head(self, status, fields):
        self.send_response(status)
        for name, value in fields.items(): self.send_header(name, value)
        self.end_headers()
    def do_GET(self):
        if self.path == "/endless": return self.endless()
        if self.path == "/ws": return self.websocket()
        self.head(200, {"Content-Length": "2"})
        self.wfile.write(b"ok")
    def endless(self):
        self.head(200, {"Content-Length": str(1 << 40)})
        self.connection.settimeout(0.5)
        told = False
        while True:
            try: self.connection.send(bytes(65536))
            except socket.timeout:
                if not told: os.write(1, b"stalled\n")  # In one piece, beside other threads.
                told = True
            except OSError: return
    def do_POST(self):
        threading.Event().wait()
    def websocket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.head(101, {"Upgrade": "websocket", "Connection": "Upgrade",
                        "Sec-WebSocket-Accept": base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()})
        lock, ended = threading.Lock(), threading.Event()
        def say(data):
            with lock: self.connection.sendall(data)
        def tick():
            number = 0
            while not ended.wait(0.1):
                say(frame(0x81, b"tick %d" % number))
                number += 1
        threading.Thread(target=tick, daemon=True).start()
        while True:
            first, data = read_frame(self.rfile)
            if first & 15 == 8:
                ended.set()
                say(frame(0x88, data))
                break
            say(frame(0x8A if first & 15 == 9 else first, data))
        self.close_connection = True
if __name__ == "__main__":
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 1000
        daemon_threads = True
    Server(("", 8000), Web).serve_forever()
PY
check "a server" k apply -f - <<YAML
apiVersion: v1
kind: ConfigMap
metadata: {name: server}
data:
  server.py: |
$(sed 's/^/    /' "$folder/server.py")
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: c
        image: debian
        command: [python3, -u, /code/server.py]
        readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
        volumeMounts: [{name: code, mountPath: /code}]
      volumes: [{name: code, configMap: {name: server}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {nginx.ingress.kubernetes.io/ssl-redirect: "false", nginx.ingress.kubernetes.io/proxy-body-size: "0"}
spec:
  tls: [{hosts: [web.test]}]
  rules: [{host: web.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
YAML
check "it runs" rolled_out web
address=$(k get svc -n ingress-nginx ingress-nginx-controller -o 'jsonpath={.status.loadBalancer.ingress[0].ip}')
eventually "it is served" 20 '^ok$' at client -H 'Host: web.test' "http://$address/"

cat >"$folder/websockets.py" <<'PY'
# Ten WebSockets, half of them over TLS: each sends a message every 20 ms, small, large or in fragments, with a ping
# now and then, and must get it back as it was, and ten ticks a second besides, for so many seconds.
import base64, hashlib, os, random, socket, ssl, sys, threading, time
sys.path.insert(0, sys.argv[3])
from server import frame, read_frame
address, seconds = sys.argv[1], float(sys.argv[2])
faults, echoes, ticks = [], [0] * 10, [0] * 10
def one(index):
    draw = random.Random(index)
    s = socket.create_connection((address, 443 if index % 2 else 80), timeout=20)
    if index % 2:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s, server_hostname="web.test")
    key = base64.b64encode(draw.randbytes(16)).decode()
    s.sendall(("GET /ws HTTP/1.1\r\nHost: web.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % key).encode())
    f = s.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"): head += f.read(1)
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    assert head.startswith(b"HTTP/1.1 101 ") and b"Sec-WebSocket-Accept: " + accept in head, head
    def answer():
        while True:
            first, data = read_frame(f)
            if first == 0x81 and data == b"tick %d" % ticks[index]: ticks[index] += 1
            else: return first, data
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = draw.randbytes(draw.choice((0, 1, 125, 126, 5000, 70000)))
        parts = [(0x82, data)]
        if number % 7 == 0: parts = [(0x02, data[:100]), (0x00, data[100:200]), (0x80, data[200:])]
        if number % 11 == 0: parts = [(0x89, data[:125])]
        for first, part in parts: s.sendall(frame(first, part, draw.randbytes(4)))
        for first, part in parts:
            got = answer()
            assert got == (0x8A if first == 0x89 else first, part), (number, got[0], len(got[1]), len(part))
        echoes[index], number = echoes[index] + 1, number + 1
        time.sleep(0.02)
    s.sendall(frame(0x88, b"\x03\xe8", draw.randbytes(4)))
    assert answer() == (0x88, b"\x03\xe8")
def guarded(index):
    try: one(index)
    except Exception as error: faults.append((index, repr(error)))
threads = [threading.Thread(target=guarded, args=(index,)) for index in range(10)]
for t in threads: t.start()
for t in threads: t.join()
print(len(faults), "faults", faults[:3], "at least", min(echoes), "echoes and", min(ticks), "ticks each")
PY
echo "WebSockets, for $WEBSOCKET_SECONDS s"
output=$(on client python3 "$folder/websockets.py" "$address" "$WEBSOCKET_SECONDS" "$folder" 2>&1)
expect "ten of them live, and nothing is lost or changed" '^0 faults \[\]' echo "$output"
expect "with steady traffic both ways" 'at least [0-9]{2,} echoes and [0-9]{2,} ticks each' echo "$output"

cat >"$folder/slow.py" <<'PY'
# So many clients that send a byte of their head every second; who is refused comes again. In the end: how many were
# refused, after how long at most, and with what.
import os, resource, select, socket, sys, time
address, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
poll, clients, answers, slowest, refused = select.epoll(), {}, set(), 0, 0
def come():
    s = socket.create_connection((address, 80), timeout=20)
    s.sendall(b"GET / HTTP/1.1\r\nHost: web.test\r\nX-Slow: ")
    poll.register(s, select.EPOLLIN)
    clients[s.fileno()] = (s, time.monotonic())
def leave(number):
    global slowest, refused
    s, since = clients.pop(number)
    try: answers.add(s.recv(12).decode())
    except OSError as error: answers.add(repr(error))
    slowest, refused = max(slowest, time.monotonic() - since), refused + 1
    s.close()
for _ in range(count): come()
print("open", flush=True)
while not os.path.exists(folder + "/measured") or refused < count:
    next_byte = time.monotonic() + 1
    for s, _ in list(clients.values()):
        try: s.send(b"x")
        except OSError: pass
    while (left := next_byte - time.monotonic()) > 0:
        for number, _ in poll.poll(left):
            leave(number)
            come()
print("refused %d answers %s slowest %d" % (refused, sorted(answers), slowest))
PY
cat >"$folder/ordinary.py" <<'PY'
# 500 ordinary requests over four kept connections: how many failed, and the 99th percentile in milliseconds.
import http.client, sys, threading, time
times, faults = [], []
def client():
    connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
    for _ in range(125):
        begin = time.monotonic()
        try:
            connection.request("GET", "/", headers={"Host": "web.test"})
            answer = connection.getresponse()
            if (answer.read(), answer.status) != (b"ok", 200): faults.append(answer.status)
        except Exception as error: faults.append(repr(error))
        times.append(time.monotonic() - begin)
threads = [threading.Thread(target=client) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print("%d failed, 99 %% within %d ms" % (len(faults), sorted(times)[-5] * 1000))
PY
echo "$SLOW clients that send their heads slowly"
# The machine may be busy with others: one run among them says what the proxy does.
ordinary() { on client python3 "$folder/ordinary.py" "$address" 2>&1 | tee -a "$folder/ordinary"; }
quick() { ordinary | awk -v limit="$(stretched 50)" '/^0 failed/ && $6 < limit {quick = 1} END {exit !quick}'; }
on client python3 "$folder/slow.py" "$address" $SLOW "$folder" >"/tmp/$LAB.slow" 2>&1 &
slow=$!
check "are there" until_true 60 grep -q open "/tmp/$LAB.slow"
check "beside them ordinary requests take less than $(stretched 50) ms" until_true 120 quick
sed 's/^/       /' "$folder/ordinary"
expect "and none fails" '^0$' sh -c "grep -vc '^0 failed' '$folder/ordinary'"
touch "$folder/measured"
check "all of them are refused" until_true 60 grep -q refused "/tmp/$LAB.slow"
wait $slow
expect "with 408" "^refused [0-9]{4,} answers \['HTTP/1.1 408'\] slowest" tail -1 "/tmp/$LAB.slow"
check "within $(stretched 15) s" test "$(awk 'END {print $NF}' "/tmp/$LAB.slow")" -le "$(stretched 15)"

cat >"$folder/stop.py" <<'PY'
# So many peers that stop: readers after the head of an answer without end, writers when nothing is taken any more.
import os, socket, sys, threading
address, kind, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
kept = []
for _ in range(count):
    s = socket.create_connection((address, 80), timeout=20)
    kept.append(s)
    if kind == "readers":
        s.sendall(b"GET /endless HTTP/1.1\r\nHost: web.test\r\n\r\n")
        assert s.recv(12) == b"HTTP/1.1 200"
        continue
    s.sendall(b"POST /swallow HTTP/1.1\r\nHost: web.test\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
    s.settimeout(0.5)
    try:
        while True: s.send(bytes(65536))
    except socket.timeout: pass
print("stopped", flush=True)
while not os.path.exists(folder + "/" + kind): threading.Event().wait(0.1)
PY
pss_kib() { awk '/^Pss:/ {print $2}' "/proc/$server/smaps_rollup"; }
server=$(kin status --lab "$LAB" --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
for kind in readers writers; do
    echo "$STALLED $kind that stop"
    before=$(pss_kib)
    on client python3 "$folder/stop.py" "$address" $kind $STALLED "$folder" >"/tmp/$LAB.$kind" 2>&1 &
    peers=$!
    check "have stopped" until_true 120 grep -q stopped "/tmp/$LAB.$kind"
    all_stalled() { [ "$(k logs deployment/web | grep -c stalled)" -ge $STALLED ]; }
    [ $kind = writers ] || check "and so has who writes for them" until_true 60 all_stalled
    each=$((($(pss_kib) - before) / STALLED))
    check "cost at most $MIB_EACH MiB each, now $each KiB" [ $each -le $((MIB_EACH * 1024)) ]
    expect "and nobody else any time" '^ok$' at client -H 'Host: web.test' "http://$address/"
    touch "$folder/$kind"
    wait $peers
done
rm -rf "$folder"
finish
