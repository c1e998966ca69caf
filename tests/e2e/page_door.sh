#!/bin/bash
# Who comes in at the page's door, and who does not: forged Hosts, Origins, cookies, keys, tickets.
source "$(dirname "$0")/lib.sh"

start_lab
PAGE=$(kin status --lab "$LAB" --json | sed -n 's/.*"page": "\(.*\)".*/\1/p')
PORT=${PAGE##*:}
JAR=/tmp/$LAB.jar
PODS=/api/v1/pods

# ask PATH [CURL OPTION...]: the answer's status, then how its body begins.
ask() {
    local path=$1
    shift
    curl -s --max-time "$(stretched 10)" -o "/tmp/$LAB.body" -w '%{http_code}\n' "$@" "$PAGE$path"
    head -c 2000 "/tmp/$LAB.body"
}
# As the page itself asks.
own() {
    local path=$1
    shift
    ask "$path" -b "$JAR" -H "X-Kin-Page: $KEY" -H "Origin: $PAGE" "$@"
}
# A WebSocket's handshake; 101 if it is answered.
socket() {
    local path=$1
    shift
    timeout "$(stretched 5)" curl -s -o /dev/null -w '%{http_code}\n' --max-time "$(stretched 1)" -b "$JAR" -H 'Connection: Upgrade' \
        -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
        -H 'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==' "$@" "$PAGE$path"
}
ticket() { own /kin/v1/ticket -X POST | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p'; }

expect "kin up says where the page is" "page: http://127.0.0.1:[0-9]*/login\?code=[0-9a-f]{32}" \
    cat "/tmp/$LAB.up"
LINK=$(kin ui --lab "$LAB" --print)
expect "kin ui --print gives another link" "^$PAGE/login\?code=[0-9a-f]{32}$" echo "$LINK"
expect "without a cookie there is only advice" "^401" ask /
expect "which names the lab" "kin ui --lab $LAB" ask /
curl -s -c "$JAR" -o "/tmp/$LAB.login" "$LINK"
KEY=$(sed -n 's/.*name="kin-key" content="\([0-9a-f]*\)".*/\1/p' "/tmp/$LAB.login")
expect "the link is good once" "^401" ask "${LINK#"$PAGE"}"
expect "the page comes with its cookie" "<title>kin</title>" ask / -b "$JAR"
expect "and may ask the API" '"kind":"PodList"' own "$PODS"
expect "and kin" '"routes":\[' own "/kin/v1/network?host=node-1"

for host in evil.example "evil.example:$PORT" "127.0.0.1:1" "127.0.0.1.evil.example:$PORT" "[::1]:$PORT"; do
    expect "Host $host gets nothing" "^421" own "$PODS" -H "Host: $host"
    expect "not even a file" "^421" ask / -b "$JAR" -H "Host: $host"
done
for origin in http://evil.example null "https://127.0.0.1:$PORT" http://127.0.0.1:8080 "http://localhost:$PORT"; do
    expect "Origin $origin gets nothing" "^403" own "$PODS" -H "Origin: $origin"
    expect "no ticket" "^403" own /kin/v1/ticket -X POST -H "Origin: $origin"
    expect "no stream" "^403" socket "/kin/v1/stream?ticket=$(ticket)" -H "Origin: $origin"
done
expect "a forged cookie gets nothing" "^401" \
    ask "$PODS" -H "X-Kin-Page: $KEY" -H "Origin: $PAGE" -H "Cookie: kin-$PORT=99999999999-1-2"
expect "the cookie without the key gets nothing" "^403" ask "$PODS" -b "$JAR" -H "Origin: $PAGE"
expect "the key without the cookie gets nothing" "^401" \
    ask "$PODS" -H "X-Kin-Page: $KEY" -H "Origin: $PAGE"
expect "a made up identity gets nothing" "^401" ask "$PODS" -H "Authorization: Bearer x" \
    -H "X-Remote-User: kubernetes-admin" -H "X-Remote-Group: system:masters"
expect "a write without an Origin gets nothing" "^403" ask /api/v1/namespaces -b "$JAR" \
    -H "X-Kin-Page: $KEY" -X POST -d '{"metadata":{"name":"sneaky"}}'
refused "and has done nothing" "not found" k get namespace sneaky
expect "a link from elsewhere gets nothing" "^403" own "$PODS" -H "Sec-Fetch-Site: cross-site"
for header in "X-HTTP-Method-Override: DELETE" "Access-Control-Request-Method: DELETE"; do
    expect "a preflight is refused" "^403" ask "$PODS" -X OPTIONS -H "Origin: http://evil.example" -H "$header" -b "$JAR"
done

same "the stream opens for a ticket" 101 "$(socket "/kin/v1/stream?ticket=$(ticket)" -H "Origin: $PAGE")"
once=$(ticket)
same "a ticket serves one" "101 403" "$(socket "/kin/v1/stream?ticket=$once" -H "Origin: $PAGE") \
$(socket "/kin/v1/stream?ticket=$once" -H "Origin: $PAGE")"
expect "no shell without one" "^403" \
    socket "/kin/v1/hosts/node-1/exec?command=sh&tty=true&stdin=true" -H "Origin: $PAGE" -H "X-Kin-Page: $KEY"
curl -s -D - -o /dev/null -b "$JAR" "$PAGE/" >"/tmp/$LAB.heads"
expect "nothing but its own files runs" "Content-Security-Policy: default-src 'none';.*require-trusted-types-for 'script'" \
    cat "/tmp/$LAB.heads"
expect "nobody frames it" "frame-ancestors 'none'" cat "/tmp/$LAB.heads"
expect "the page listens on this machine only" "127.0.0.1:$PORT" ss -ltnH "sport = :$PORT"
same "and nowhere else" 1 "$(ss -ltnH "sport = :$PORT" | wc -l)"

check "the lab starts again" bash -c "'$KIN' down --lab $LAB && '$KIN' up --lab $LAB -d --api-port 0 --page-port $PORT"
expect "a page that was open stays in" '"kind":"PodList"' own "$PODS"
check "a reset makes another lab" bash -c "'$KIN' reset -y --lab $LAB && '$KIN' up --lab $LAB -d --api-port 0 --page-port $PORT"
expect "where old cookies are nobody's" "^401" own "$PODS"
finish
