#!/bin/bash
# ClusterIPs, and the flat network below them: who is asked, who is seen, what the kernel says.
source "$(dirname "$0")/lib.sh"

start_lab
check "servers and clients are applied" k apply -f tests/e2e/addresses.yaml
check "they are ready" k wait --for=condition=Ready pod --all --timeout=30s
ip_of() { k get pod "$1" -o jsonpath='{.status.podIP}'; }
server=$(ip_of server)
client=$(ip_of client)
neighbour=$(ip_of neighbour)
cluster_ip=$(k get service both -o jsonpath='{.spec.clusterIP}')
# Asks an agnhost by UDP: udp ADDRESS PORT WORD
udp() {
    in_pod client python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(sys.argv[3].encode(), (sys.argv[1], int(sys.argv[2])))
print(s.recv(100).decode())' "$@"
}
get() { in_pod "$1" curl -sS --max-time 3 "$2"; }

expect "a pod on another node is seen by its own address" "^$client:" \
    get client "http://$server:80/clientip"
expect "so is a pod on the same node" "^$neighbour:" get neighbour "http://$server:80/clientip"
expect "and by UDP" "^$client:" udp "$server" 80 clientip
expect "and through the Service" "^$client:" get client http://both/clientip
expect "and through the Service by UDP" "^$client:" udp both 80 clientip
expect "a TCP port leads to the pod" '^server$' get client http://both/hostname
expect "a second port of the Service too" '^server$' get client http://both:8080/hostname
expect "the UDP port of the same number too" '^server$' udp both 80 hostname
expect "a named target port is looked up" '^server$' get client http://both:9000/hostname
expect "a port that the Service lacks is refused at once" '\(7\) ' \
    in_pod client curl -sS --max-time 1 http://both:81
expect "a Service without endpoints is refused at once" '\(7\) ' \
    in_pod client curl -sS --max-time 1 http://nobody
expect "also for a node" '\(7\) ' \
    on node-2 curl -sS --max-time 1 "http://$(k get service nobody -o 'jsonpath={.spec.clusterIP}')"
expect "a pod reaches itself through its Service" '^server$' get server http://both/hostname
for node in node-1 node-2 node-3; do
    expect "$node reaches the pod" '^server$' on $node curl -s --max-time 3 "http://$server/hostname"
    expect "$node reaches the Service" '^server$' \
        on $node curl -s --max-time 3 "http://$cluster_ip/hostname"
done
expect "a pod reaches the outside world" '1 received' in_pod client ping -c1 -W3 203.0.113.20
expect "the outside hosts reach each other" '1 received' on client ping -c1 -W3 203.0.113.20

# The map's element for one Service port, and its counter.
element() { on node-1 nft list map ip kube-proxy "$1" | grep -F "$2"; }
packets() { element service-ips "\"$1\"" | sed 's/.*packets \([0-9]*\).*/\1/'; }
expect "an element names Service and port" 'goto lb-1' element service-ips '"default/both:tcp"'
expect "an element names the pod it leads to" ": $server . 80" element endpoints '"default/server"'
expect "ip route shows the way to the other node's pods" "^10\.244\.2\.0/24 via $(by_overlay \
    '172\.30\.0\.3 dev eth0' '10\.244\.2\.0 dev vxlan\.1 .*onlink')" on node-1 ip route
expect "and to its own" "$(by_cni "^$client dev veth" '^10\.244\.1\.0/24 dev cni0')" on node-1 ip route
before=$(packets default/both:tcp)
get client http://both/hostname >/dev/null
same "the counter counts one connection" $((before + 1)) "$(packets default/both:tcp)"

# What is written to the kernel when one Service of several changes.
"$KIN" exec --lab "$LAB" node-1 -- nft monitor >"/tmp/$LAB.monitor" 2>&1 &
monitor=$!
check "a Service of no interest, until the monitor shows it" until_true 10 sh -c \
    "'$KIN' kubectl --lab $LAB create service clusterip probe-\$(date +%N) --tcp=80 &&
     grep -q default/probe- /tmp/$LAB.monitor"
check "a Service gets a second port" k patch service nobody --type=merge \
    -p '{"spec":{"ports":[{"name":"a","port":80},{"name":"b","port":90}]}}'
eventually "the change is written" 10 'default/nobody:b' cat "/tmp/$LAB.monitor"
expect "nothing of the other Services is written" '^0$' grep -c 'default/both\|kube-dns' \
    "/tmp/$LAB.monitor"
same "so their counters stay" $((before + 1)) "$(packets default/both:tcp)"
kill "$monitor" 2>/dev/null

check "the only pod is deleted" k delete pod server --wait=true --timeout=30s
eventually "its Service is refused" 10 '\(7\) ' in_pod client curl -sS --max-time 1 http://both
expect "no element leads to it any more" '^0$' \
    sh -c "'$KIN' exec --lab $LAB node-1 -- nft list ruleset | grep -c '$server'"
finish
