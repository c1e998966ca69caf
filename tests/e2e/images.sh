#!/bin/bash
# What images do that lessons rely on: nginx with a configuration of one's own, netcat, demo servers.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

T=$(mktemp -d /tmp/kin-images.XXXXXX)
inside() { k exec tools -- "$@"; }
page() { inside curl -sS --max-time 5 "$@"; }

start_lab
k run tools --image=nicolaka/netshoot -- sleep 3600 >/dev/null
k run box --image=busybox -- sleep 3600 >/dev/null

# ---- nginx as the tutorials configure it: conf.d from a ConfigMap, TLS from a Secret
openssl req -x509 -nodes -days 1 -newkey rsa:2048 -subj /CN=my-nginx -addext subjectAltName=DNS:my-nginx \
    -keyout "$T/tls.key" -out "$T/tls.crt" 2>/dev/null
cat >"$T/default.conf" <<'EOF'
upstream hello {
    server echo:8080;
}
server {
    listen 80 default_server;
    listen [::]:80 default_server ipv6only=on;
    listen 443 ssl;
    root /usr/share/nginx/html;
    index index.html;
    server_name localhost;
    ssl_certificate /etc/nginx/ssl/tls.crt;
    ssl_certificate_key /etc/nginx/ssl/tls.key;

    location / {
        try_files $uri $uri/ =404;
    }
    location = /who { return 200 "you are $remote_addr on $host\n"; }
    location /old/ { return 301 https://$host$request_uri; }
    location ~ \.secret$ { return 403; }
    location /api/ {
        proxy_pass http://hello/v1/;  # Its path takes the place of /api/.
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
    }
    location /down { proxy_pass http://127.0.0.1:81; }
    error_page 404 /50x.html;
}
server {
    listen 80;
    server_name other.example.com;
    location / { return 200 "the other site\n"; add_header X-Site other; }
}
EOF
k create secret tls nginxsecret --key "$T/tls.key" --cert "$T/tls.crt" >/dev/null
k create configmap nginxconfigmap --from-file="$T/default.conf" >/dev/null
k run echo --image=registry.k8s.io/echoserver:1.10 --port=8080 --expose >/dev/null
check "nginx with files of its own" k apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: my-nginx}
spec: {selector: {run: my-nginx}, ports: [{name: http, port: 8080, targetPort: 80}, {name: https, port: 443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: my-nginx, labels: {run: my-nginx}}
spec:
  volumes:
  - {name: secret-volume, secret: {secretName: nginxsecret}}
  - {name: configmap-volume, configMap: {name: nginxconfigmap}}
  containers:
  - name: nginxhttps
    image: bprashanth/nginxhttps:1.0
    ports: [{containerPort: 443}, {containerPort: 80}]
    volumeMounts:
    - {name: secret-volume, mountPath: /etc/nginx/ssl}
    - {name: configmap-volume, mountPath: /etc/nginx/conf.d}
---
apiVersion: v1
kind: Pod
metadata: {name: curl}
spec:
  volumes: [{name: secret-volume, secret: {secretName: nginxsecret}}]
  containers:
  - name: curlpod
    image: radial/busyboxplus:curl
    command: [sh, -c, while true; do sleep 1; done]
    volumeMounts: [{name: secret-volume, mountPath: /etc/nginx/ssl}]
EOF
check "they run" k wait --for=condition=Ready pod/tools pod/box pod/echo pod/curl pod/my-nginx --timeout=40s
soon "over TLS with that certificate" 'Welcome to nginx' k exec curl -- \
    curl -sS --max-time 5 https://my-nginx --cacert /etc/nginx/ssl/tls.crt
refused "which no other client trusts" 'certificate' page https://my-nginx
site=http://my-nginx:8080
tools=$(field pod/tools '{.status.podIP}')
expect "and without TLS" 'Welcome to nginx' page $site
expect "return with variables" "^you are $tools on my-nginx\$" page $site/who
expect "a redirect" '^301 https://my-nginx/old/x\?y=1$' \
    page -o /dev/null -w '%{http_code} %{redirect_url}\n' "$site/old/x?y=1"
expect "a regular expression" '^403$' page -o /dev/null -w '%{http_code}\n' $site/a.secret
expect "a page for errors" 'An error occurred' page $site/nothing
expect "with the error's code" '^404$' page -o /dev/null -w '%{http_code}\n' $site/nothing
expect "passed on, with the path replaced" 'request_uri=http://my-nginx:8080/v1/items\?x=1' page "$site/api/items?x=1"
expect "and a header more" "x-real-ip=$tools" page $site/api/
expect "nobody there: 502" '502 Bad Gateway' page $site/down
expect "the other server, by its name" '^the other site$' page -H 'Host: other.example.com' $site
expect "with its header" 'X-Site: other' page -i -H 'Host: other.example.com' $site
expect "nginx -t" 'test is successful' k exec my-nginx -- nginx -t
sed 's/the other site/another text/' "$T/default.conf" >"$T/new.conf"
k create configmap nginxconfigmap --from-file="default.conf=$T/new.conf" --dry-run=client -o yaml |
    k apply -f - >/dev/null 2>&1
soon "the file changes" 'another text' k exec my-nginx -- cat /etc/nginx/conf.d/default.conf
expect "nginx does not look by itself" '^the other site$' page -H 'Host: other.example.com' $site
check "nginx -s reload" k exec my-nginx -- nginx -s reload
soon "then it does" '^another text$' page -H 'Host: other.example.com' $site
check "a pod whose configuration names nobody" k apply -f - <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: wrong}
data: {default.conf: 'server { listen 80; location / { proxy_pass http://nobody; } }'}
---
apiVersion: v1
kind: Pod
metadata: {name: wrong}
spec:
  volumes: [{name: c, configMap: {name: wrong}}]
  containers: [{name: wrong, image: nginx, volumeMounts: [{name: c, mountPath: /etc/nginx/conf.d}]}]
EOF
soon "does not start" 'CrashLoopBackOff|Error' k get pod wrong
expect "in nginx' words" 'emerg.*host not found in upstream "nobody" in /etc/nginx/conf.d/default.conf:1' k logs wrong

# ---- netcat, in busybox and beside the host's programs
expect "nc -zv" 'my-nginx .*8080.* succeeded' inside nc -zv my-nginx 8080
expect "busybox' words" 'my-nginx \(10\.96\.[0-9.]+:8080\) open' k exec box -- nc -zv my-nginx 8080
refused "nobody listens" 'refused' k exec box -- nc -zv -w 2 echo 81
refused "-w gives up" 'timed out' inside nc -v -z -w 1 203.0.113.77 80
expect "a shell finds it" '^yes$' inside sh -c 'nc -z my-nginx 8080 && echo yes'
k run listener --image=busybox -- \
    sh -c 'nc -lk -p 9000 -e cat & nc -u -l -p 9001 -e cat & exec sleep 3600' >/dev/null
check "a listener" k wait --for=condition=Ready pod/listener --timeout=20s
address=$(field pod/listener '{.status.podIP}')
for n in 1 2; do
    soon "-lk serves, time $n" "^time $n\$" inside sh -c "echo time $n | nc -w 2 $address 9000"
done
expect "busybox' shell finds it, too" '^yes$' k exec box -- sh -c 'nc -z my-nginx 8080 && echo yes'
expect "and the nslookup that searches" 'Address.*10\.96\.' k exec box -- sh -c 'nslookup my-nginx.default'
expect "and the wget that gives up" 'timed out' k exec box -- sh -c 'wget -qO- -T 1 http://203.0.113.78'
soon "-u" '^by UDP$' inside sh -c "echo by UDP | nc -u -w 1 $address 9001"

# ---- servers of lessons
k run kuard --image=gcr.io/kuar-demo/kuard-amd64:1 --port=8080 --expose >/dev/null
k run deathstar --image=quay.io/cilium/starwars:v2.1 --port=80 --expose >/dev/null
for coin in rng hasher webui worker; do
    k create deployment $coin --image=dockercoins/$coin:v0.1 >/dev/null
done
k create deployment redis --image=redis >/dev/null
for coin in rng hasher webui; do k expose deployment $coin --port=80 >/dev/null; done
k expose deployment redis --port=6379 >/dev/null
check "kuard and a deathstar" k wait --for=condition=Ready pod/kuard pod/deathstar --timeout=20s
soon "kuard is ready" '^ok$' page http://kuard:8080/ready
expect "a ship lands" '^Ship landed$' page -XPOST http://deathstar/v1/request-landing
expect "and the port explodes" 'Panic' page -XPUT http://deathstar/v1/exhaust-port
soon "a worker works" '[1-9][0-9]* units of work done' k logs deploy/worker
soon "the count rises" '"hashes": ?[1-9]' page http://webui/json
rm -rf "$T"
finish
