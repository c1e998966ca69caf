#!/bin/bash
# Ingress while things move: connections that were upgraded, and requests, while Ingresses change and backends
# roll. INGRESS_REQUESTS and INGRESS_CHANGES make it longer.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
REQUESTS=${INGRESS_REQUESTS:-10000} CHANGES=${INGRESS_CHANGES:-1000} SOCKETS=100
folder=$(mktemp -d)
chmod 777 "$folder"

start_lab
check "one that notes each POST" k apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: notes}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: debian
    command:
    - python3
    - -uc
    - |
      import socket
      server = socket.create_server(("", 9000), backlog=1000)
      print("listening")
      while True:
          peer = server.accept()[0]
          number = b""
          while data := peer.recv(100): number += data
          print("post", number.decode())
YAML
check "listens" until_true 20 matches listening k logs notes
NOTES=$(field pod/notes '{.status.podIP}')
# A POST's number goes to the notes. At SIGTERM it answers for another second, closing connections, as servers do
# that end in good order. Upgrades are echoed.
check "three replicas" k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: debian
        readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
        command:
        - python3
        - -uc
        - |
          import http.server, os, signal, socket, threading
          ending = False
          class Web(http.server.BaseHTTPRequestHandler):
              protocol_version = "HTTP/1.1"
              def answer(self, text):
                  self.send_response(200)
                  self.send_header("Content-Length", str(len(text)))
                  if ending: self.send_header("Connection", "close")
                  self.end_headers()
                  self.wfile.write(text)
              def do_GET(self):
                  if self.headers.get("Upgrade") != "echo": return self.answer(b"got")
                  self.send_response(101)
                  self.send_header("Upgrade", "echo")
                  self.send_header("Connection", "Upgrade")
                  self.end_headers()
                  while data := self.connection.recv(100): self.connection.sendall(data)
                  self.close_connection = True
              def do_POST(self):
                  number = self.rfile.read(int(self.headers["Content-Length"]))
                  with socket.create_connection(("$NOTES", 9000)) as notes: notes.sendall(number)
                  self.answer(number)
              def log_message(self, *_): pass
          def end(*_):
              global ending
              ending = True
              threading.Timer(1, os._exit, [0]).start()
          signal.signal(signal.SIGTERM, end)
          server = http.server.ThreadingHTTPServer
          server.request_queue_size = 128
          server(("", 8000), Web).serve_forever()
YAML
k expose deployment web --port=80 --target-port=8000 >/dev/null
change() { # NUMBER: the Ingress of web, and another one beside, differ with each number.
    printf -- '---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: web.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}, {path: /x%d, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n' "$1"
    printf -- '---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: other-%d}\nspec: {rules: [{host: other%d.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n' $(($1 % 20)) "$1"
}
check "an Ingress" k apply -f <(change 0)
check "they run" k rollout status deployment/web --timeout=60s
address=$(k get svc -n ingress-nginx ingress-nginx-controller -o 'jsonpath={.status.loadBalancer.ingress[0].ip}')
eventually "it is served" 10 '^got$' at client -H 'Host: web.test' "http://$address/"

cat >"$folder/sockets.py" <<'PY'
# Upgraded connections: each sends a byte every 50 ms and must get it back, until the file "end" is there.
import os, selectors, socket, sys, time
address, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sockets = []
for _ in range(count):
    s = socket.create_connection((address, 80), timeout=10)
    s.sendall(b"GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += s.recv(1) or sys.exit("closed in the head: %r" % head)
    head.startswith(b"HTTP/1.1 101 ") or sys.exit("not upgraded: %r" % head)
    sockets.append(s)
print("upgraded", flush=True)
rounds = 0
while not os.path.exists(folder + "/end"):
    for s in sockets: s.sendall(b"%d" % (rounds % 10))
    for s in sockets:
        got = s.recv(1)
        if got != b"%d" % (rounds % 10): sys.exit("round %d: %r came back" % (rounds, got))
    rounds += 1
    time.sleep(0.05)
print("alive after", rounds, "rounds", flush=True)
PY
cat >"$folder/requests.py" <<'PY'
# So many requests over kept connections, and more until the file "rolled" is there; every fourth is a POST with a
# number of its own. Says what went wrong.
import http.client, itertools, os, sys, threading
address, count, folder, clients = sys.argv[1], int(sys.argv[2]), sys.argv[3], 32
wrong, posts, numbers = [], set(), itertools.count()
def client():
    connection = http.client.HTTPConnection(address, timeout=20)
    while (number := next(numbers)) < count or not os.path.exists(folder + "/rolled"):
        try:
            if number % 4 == 0:
                posts.add(number)
                connection.request("POST", "/", str(number), {"Host": "web.test"})
                wanted = str(number).encode()
            else:
                connection.request("GET", "/", headers={"Host": "web.test"})
                wanted = b"got"
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or body != wanted: wrong.append((number, answer.status, body[:60]))
        except Exception as error:
            wrong.append((number, repr(error)))
            connection.close()
threads = [threading.Thread(target=client) for _ in range(clients)]
for t in threads: t.start()
for t in threads: t.join()
open(folder + "/posts", "w").writelines("post %d\n" % number for number in sorted(posts))
print(len(wrong), "failed", wrong[:5])
PY

echo "Upgraded connections and changes"
on client python3 "$folder/sockets.py" "$address" $SOCKETS "$folder" >"/tmp/$LAB.sockets" 2>&1 &
sockets=$!
check "$SOCKETS connections are upgraded" until_true 20 grep -q upgraded "/tmp/$LAB.sockets"
for ((i = 1; i <= CHANGES / 2; i++)); do change $i; done >"/tmp/$LAB.changes"
check "$CHANGES changes of Ingresses" kin apply --lab "$LAB" -f "/tmp/$LAB.changes"
served() { [ "$(at client -o /dev/null -w '%{http_code}' -H "Host: other$((CHANGES / 2)).test" "http://$address/")" = 200 ]; }
check "the last one is in force" until_true 10 served
touch "$folder/end"
wait $sockets
expect "all of them have lived" '^alive after [0-9]+ rounds$' tail -1 "/tmp/$LAB.sockets"

echo "Requests while the backends roll"
on client python3 "$folder/requests.py" "$address" "$REQUESTS" "$folder" >"/tmp/$LAB.requests" 2>&1 &
requests=$!
k rollout restart deployment/web >/dev/null
for ((i = 1; i <= 100; i++)); do
    change $i >"/tmp/$LAB.change"
    kin apply --lab "$LAB" -f "/tmp/$LAB.change" >/dev/null
    kill -0 $requests 2>/dev/null || break
done
check "the rollout ends" k rollout status deployment/web --timeout=60s
touch "$folder/rolled"
wait $requests
same "no request failed" "0 failed []" "$(cat "/tmp/$LAB.requests")"
check "there were POSTs" test "$(wc -l <"$folder/posts")" -ge $((REQUESTS / 4))
same "each was executed once" "$(cat "$folder/posts")" "$(k logs notes | grep post | sort -k 2 -g)"
rm -rf "$folder"
finish
