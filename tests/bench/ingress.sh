# shellcheck shell=bash
# Of tests/bench/run: routes as they change; the ingress proxy alone beside nginx and haproxy, one worker each, before one nginx with files.

# The proxies' ports of 127.0.0.1: plain, with TLS.
declare -A ingress_port=([nginx]=19091 [haproxy]=19093 [kin]=19095)
declare -A ingress_tls_port=([nginx]=19092 [haproxy]=19094 [kin]=19096)
declare -A ingress_process=()
ingress_backend=19090

# nginx_configuration NAME HTTP_BLOCK
nginx_configuration() {
    local temp="" kind
    for kind in client_body proxy fastcgi uwsgi scgi; do temp+="${kind}_temp_path $folder/$1.$kind;"; done
    cat >"$folder/$1.conf" <<CONF
worker_processes 1; pid $folder/$1.pid; error_log $folder/$1.errors; daemon off; master_process off;
events { worker_connections 4096; multi_accept on; }
http { keepalive_requests 10000000; $temp $2 }
CONF
}
# As ingress-nginx configures it: the same fields for backends, warm connections, an access log.
ingress_configurations() {
    local fields="proxy_set_header Connection \"\"; proxy_set_header Host \$host;" field
    for field in 'X-Forwarded-For $remote_addr' 'X-Real-IP $remote_addr' 'X-Request-ID $request_id' \
        'X-Forwarded-Proto $scheme' 'X-Forwarded-Host $host' 'X-Forwarded-Port $server_port' \
        'X-Forwarded-Scheme $scheme' 'X-Scheme $scheme'; do fields+="proxy_set_header $field;"; done
    mkdir "$folder/www"
    head -c 1024 /dev/zero >"$folder/www/1k"
    head -c 1048576 /dev/zero >"$folder/www/1m"
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bench -keyout "$folder/key" -out "$folder/cert" 2>/dev/null
    cat "$folder/cert" "$folder/key" >"$folder/both"
    nginx_configuration back "access_log off; sendfile on; tcp_nopush on;
server { listen 127.0.0.1:$ingress_backend backlog=4096; root $folder/www; }"
    nginx_configuration nginx "access_log $folder/nginx.log;
upstream b { server 127.0.0.1:$ingress_backend; keepalive 320; keepalive_requests 10000000; }
server { listen 127.0.0.1:${ingress_port[nginx]} backlog=4096; listen 127.0.0.1:${ingress_tls_port[nginx]} ssl backlog=4096;
ssl_certificate $folder/cert; ssl_certificate_key $folder/key; ssl_protocols TLSv1.2 TLSv1.3;
location / { proxy_pass http://b; proxy_http_version 1.1; proxy_max_temp_file_size 0; $fields } }"
    cat >"$folder/haproxy.conf" <<CONF
global
  nbthread 1
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:${ingress_port[haproxy]}
  bind 127.0.0.1:${ingress_tls_port[haproxy]} ssl crt $folder/both
  default_backend b
backend b
  server s 127.0.0.1:$ingress_backend
CONF
}
start_ingress_proxies() {
    local port
    nginx -c "$folder/back.conf" -p "$folder" 2>/dev/null &
    peers+=($!)
    nginx -c "$folder/nginx.conf" -p "$folder" 2>/dev/null &
    ingress_process[nginx]=$!
    haproxy -f "$folder/haproxy.conf" -db 2>/dev/null &
    ingress_process[haproxy]=$!
    "$BENCH" ingress-proxy "${ingress_port[kin]}" "${ingress_tls_port[kin]}" "$ingress_backend" >/dev/null &
    ingress_process[kin]=$!
    peers+=("${ingress_process[@]}")
    for port in "${ingress_port[@]}"; do
        curl -sf --retry 20 --retry-all-errors --retry-delay 1 -o /dev/null "http://127.0.0.1:$port/1k"
    done
}
# ingress_load PROXY PATH TLS [HEADER]: us of CPU a request, requests a second, 99 % of them within.
ingress_load() {
    local url=http://127.0.0.1:${ingress_port[$1]}$2 pid=${ingress_process[$1]} before after
    [ -z "$3" ] || url=https://127.0.0.1:${ingress_tls_port[$1]}$2
    before=$(cat "/proc/$pid/task/"*/schedstat | awk '{sum += $1} END {printf "%.0f", sum}')
    wrk -t 1 -c 64 -d 2 --latency ${4:+-H "$4"} "$url" >"$folder/wrk"
    after=$(cat "/proc/$pid/task/"*/schedstat | awk '{sum += $1} END {printf "%.0f", sum}')
    awk -v ns=$((after - before)) '/requests in/ {n = $1} /99%/ {p99 = $2} /Requests\/sec/ {rate = $2}
        /Socket errors|Non-2xx/ {print "a proxy failed: " $0 >"/dev/stderr"; exit 1}
        END {printf "%.2f %.0f %s\n", ns / n / 1000, rate, p99}' "$folder/wrk"
}
# ingress_figure WHAT PATH TLS [HEADER]
ingress_figure() {
    local turn proxy us rate p99
    local -A times=() last=()
    for ((turn = 0; turn < TURNS; turn++)); do
        for proxy in nginx haproxy kin; do
            read -r us rate p99 < <(ingress_load "$proxy" "${@:2}")
            times[$proxy]+="$us"$'\n'
            last[$proxy]="$rate/s, p99 $p99"
        done
    done
    us=$(printf %s "${times[kin]}" | median)
    for proxy in nginx haproxy; do
        figure "$1, CPU us, against $proxy" "$us" "$(printf %s "${times[$proxy]}" | median)" \
            "1 (kin ${last[kin]}; $proxy ${last[$proxy]})"
    done
}
# What routes cost the control thread: all of them, and one change among them.
bench_ingress_compiling() {
    local count all kib ingress service
    for count in 1000 10000; do
        read -r all kib ingress service < <("$BENCH" ingress-compiling "$count")
        value "ingress, $count hosts compiled, ms" "$all"
        value "    their part of the heap, KiB" "$kib"
        value "    one Ingress changes, us" "$ingress"
        value "    one Service changes, us" "$service"
    done
}
bench_ingress() {
    local program
    bench_ingress_compiling
    for program in nginx haproxy wrk openssl; do
        command -v "$program" >/dev/null && continue
        echo "ingress: skipped, there is no $program"
        return
    done
    ingress_configurations
    start_ingress_proxies
    ingress_figure "ingress, 1 KiB, kept connections" /1k ""
    ingress_figure "ingress, 1 KiB, a connection each" /1k "" "Connection: close"
    ingress_figure "ingress, 1 MiB" /1m ""
    ingress_figure "ingress, TLS, 1 KiB, kept connections" /1k tls
    ingress_figure "ingress, TLS, 1 KiB, a handshake each" /1k tls "Connection: close"
    ingress_figure "ingress, TLS, 1 MiB" /1m tls
}
