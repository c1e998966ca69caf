#!/bin/bash
# A lab in one file: saved while it runs and while it does not, loaded elsewhere with every object
# byte for byte, and nothing lost by a file that is broken.
source "$(dirname "$0")/lib.sh"

OTHER=$LAB-b
FILE=/tmp/$LAB.kin
other_k() { "$KIN" kubectl --lab "$OTHER" "$@"; }

# Every object of a saved file, a line each: resource, namespace, name, the bytes of its body.
objects_of() {
    python3 -B - "$1" <<'PY'
import sqlite3, sys
for row in sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(
        "SELECT resource, ns, name, revision, body FROM objects ORDER BY 1, 2, 3"):
    print(*row)
PY
}
# What curl gets of a lab for every kind, a file each in a folder.
get_all() { # LAB FOLDER
    local socket
    socket=$("$KIN" status --lab "$1" --json | sed -n 's/.*"socket": "\(.*\)".*/\1/p')
    mkdir -p "$2"
    python3 -B - "$socket" "$2" <<'PY'
import json, subprocess, sys
def get(path):
    return json.loads(subprocess.run(["curl", "-sf", "--unix-socket", sys.argv[1], "http://kin" + path],
                                     check=True, capture_output=True).stdout)
groups = ["/api/v1"] + ["/apis/" + g["preferredVersion"]["groupVersion"] for g in get("/apis")["groups"]]
for group in groups:
    for kind in get(group)["resources"]:
        if "/" in kind["name"] or "list" not in kind["verbs"]:
            continue
        name = group.replace("/", "_") + "_" + kind["name"]
        with open(f"{sys.argv[2]}/{name}", "w") as out:
            for item in get(f"{group}/{kind['name']}")["items"]:
                path = group + (f"/namespaces/{item['metadata']['namespace']}"
                                if kind["namespaced"] else "")
                raw = subprocess.run(["curl", "-sf", "--unix-socket", sys.argv[1],
                                      f"http://kin{path}/{kind['name']}/{item['metadata']['name']}"],
                                     check=True, capture_output=True).stdout
                out.write(raw.decode().rstrip("\n") + "\n")
PY
}
milliseconds() { # COMMAND...: how long it takes
    local start=${EPOCHREALTIME/./}
    "$@" >/dev/null || return 1
    echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

start_lab
check "an application" k apply -f examples/02-web.yaml
check "its settings" k create configmap settings --from-literal=greeting="hällo \"world\" \\ "
check "a secret" k create secret generic key --from-literal=password=s3cret
check "a deleted secret" k create secret generic gone --from-literal=password=deleted-before
check "is no more" k delete secret gone
check "a policy" k apply -f - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}
YAML
check "an ingress" k create ingress web --rule="web.example/*=web:80"
check "a fourth node" kin node add --lab "$LAB"
check "the application runs" k rollout status deployment/web --timeout=30s
settle() { curl -sf -X POST --unix-socket "$SOCKET" "http://kin/kin/v1/settle?timeout=10000"; }
check "nothing moves" settle

# Running.
took=$(milliseconds kin save "$FILE" --lab "$LAB")
same "saving a running lab takes less than a second ($took ms)" yes "$([ "$took" -lt 1000 ] && echo yes)"
same "only its owner may read the file" 600 "$(stat -c %a "$FILE")"
expect "the lab goes on" '3/3' k get deployment web
refused "what was deleted is not in it" '^$' grep -a deleted-before "$FILE"
refused "nor is any key" '^$' grep -a -E 'PRIVATE KEY|token-secret' "$FILE"
check "to standard output as well" sh -c "'$KIN' save - --lab $LAB | grep -qa 'SQLite format 3'"
refused "where no file can be" 'No such file' kin save /nonexistent/file --lab "$LAB"
refused "a lab that was never started" 'was never started here' kin save "$FILE" --lab "$LAB-none"
refused "a lab that runs is not loaded over" 'is running. End it first: kin down' \
    kin load "$FILE" --lab "$LAB" --yes
get_all "$LAB" "/tmp/$LAB.before"

# Elsewhere.
took=$(milliseconds kin load "$FILE" --lab "$OTHER")
same "loading takes less than a second ($took ms)" yes "$([ "$took" -lt 1000 ] && echo yes)"
check "a loaded lab can be saved" kin save "$FILE.again" --lab "$OTHER"
same "and has every object byte for byte" "$(objects_of "$FILE" | sha256sum)" \
    "$(objects_of "$FILE.again" | sha256sum)"
same "as many as there are" yes "$([ "$(objects_of "$FILE" | wc -l)" -gt 50 ] && echo yes)"
expect "it starts beside the first, with four nodes" '4 nodes Ready' \
    kin up --lab "$OTHER" --detach --api-port 0
check "its pods run" other_k wait --for=condition=Ready pod -l app=web --timeout=30s
check "a client in it" other_k run client --image=busybox -- sleep infinity
check "runs" other_k wait --for=condition=Ready pod/client --timeout=30s
eventually "its Service answers by name" 20 'Welcome to nginx' \
    other_k exec client -- wget -qO- -T 2 http://web
ca_in_pod='wget -qO- -T 5 https://kubernetes.default/version >/dev/null; cat /var/run/secrets/kubernetes.io/serviceaccount/ca.crt'
own_ca() { "$KIN" kubeconfig --lab "$1" --print | sed -n 's/.*certificate-authority-data: //p' | base64 -d; }
same "it has a CA of its own" different \
    "$([ "$(own_ca "$LAB")" = "$(own_ca "$OTHER")" ] && echo same || echo different)"
same "by which its pods know the API server" "$(own_ca "$OTHER")" \
    "$(other_k exec client -- sh -c "$ca_in_pod" 2>/dev/null)"
check "who deletes the client" other_k delete pod client --now

# What a restart does not touch is what GET gave, byte for byte; the rest are the same objects.
get_all "$OTHER" "/tmp/$LAB.after"
quiet="services secrets serviceaccounts networkpolicies ingressclasses namespaces roles rolebindings
    clusterroles clusterrolebindings priorityclasses storageclasses"
compared=0
for kind in $quiet; do
    for before in "/tmp/$LAB.before/"*_"$kind"; do
        [ -s "$before" ] || continue
        same "$kind: $(wc -l <"$before")" "$(cat "$before")" \
            "$(cat "/tmp/$LAB.after/$(basename "$before")")"
        compared=$((compared + 1))
    done
done
same "of many kinds there were objects" yes "$([ $compared -ge 6 ] && echo yes)"
maps() { grep -v kube-root-ca.crt "/tmp/$LAB.$1/_api_v1_configmaps"; }
same "ConfigMaps, but for the CA's" "$(maps before)" "$(maps after)"
uids() { # of all but Events and what a namespace's pods come and go with
    (cd "/tmp/$LAB.$1" && grep -ho '"uid":"[0-9a-f-]*"' ./*_pods ./*_deployments ./*_replicasets \
        ./*_nodes ./*_ingresses ./*_endpointslices ./*_daemonsets | sort -u)
}
same "and every object has its uid" "$(uids before)" "$(uids after)"

# Not running, and over itself.
check "down" kin down --lab "$LAB"
check "a lab that does not run is saved" kin save "$FILE.down" --lab "$LAB"
expect "the same objects" 'configmaps default settings' objects_of "$FILE.down"
refused "data are not replaced unasked" 'has data already. Replace them: .*--yes' \
    kin load "$FILE" --lab "$LAB"
before=$(objects_of "$FILE.down" | sha256sum)

# Files that are none.
broken() { # WHAT PATTERN FILE
    refused "$1" "cannot load .*$2" kin load "$3" --lab "$LAB" --yes
    check "$1: nothing is lost" kin save "$FILE.still" --lab "$LAB"
    same "$1: every object is there" "$before" "$(objects_of "$FILE.still" | sha256sum)"
}
: >"$FILE.bad"
broken "an empty file" 'it is no saved lab' "$FILE.bad"
broken "a manifest" 'it is no saved lab' examples/02-web.yaml
head -c $(($(stat -c %s "$FILE") / 2)) "$FILE" >"$FILE.bad"
broken "half a file" 'damaged|malformed' "$FILE.bad"
# replaced RESOURCE OLD NEW: $FILE.bad, where the texts of those objects have been changed.
replaced() {
    cp "$FILE" "$FILE.bad"
    python3 -B - "$FILE.bad" "$@" <<'PY'
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
resource, old, new = sys.argv[2:]
file.execute("UPDATE log SET body = replace(body, ?, ?) WHERE resource = ?", (old, new, resource))
file.commit()
PY
}
replaced deployments.apps '"replicas":3' '"replicas":"x"'
broken "an object that is none" 'deployments.apps default/web is damaged' "$FILE.bad"
replaced configmaps '"greeting":' '"/tmp/by-load":'
broken "a key that would be a file elsewhere" 'default/settings is damaged: data' "$FILE.bad"
for nodes in 2000000000 4294967297 -1 '[1,4294967298]' '[1,21]' '["x"]'; do
    cp "$FILE" "$FILE.bad"
    python3 -B - "$FILE.bad" "$nodes" <<'PY'
import json, sqlite3, sys
file = sqlite3.connect(sys.argv[1])
note = json.loads(file.execute("SELECT note FROM saved").fetchone()[0])
note["nodes"] = json.loads(sys.argv[2])
file.execute("UPDATE saved SET note = ?", [json.dumps(note)])
file.commit()
PY
    broken "nodes: $nodes" 'its nodes are none that a lab can have' "$FILE.bad"
done
python3 -B - "$FILE.bad" <<'PY'
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
file.execute("PRAGMA user_version = 7")
PY
broken "a newer kin's" 'format 7' "$FILE.bad"
refused "a file that is not there" 'No such file' kin load "$FILE.none" --lab "$LAB" --yes
refused "a folder" 'is no file' kin load /tmp --lab "$LAB" --yes
refused "into a new lab" 'it is no saved lab' kin load examples/02-web.yaml --lab "$LAB-new"
refused "of which nothing is left" 'was never started' kin save "$FILE.new" --lab "$LAB-new"

config=$(own_ca "$LAB")
check "loaded over itself" kin load "$FILE" --lab "$LAB" --yes
same "it keeps its keys" "$config" "$(own_ca "$LAB")"
# A load that was killed between its two files: what is remembered goes with the database.
data=$(kin kubeconfig --lab "$LAB")
data=${data%/kubeconfig}
remembered() { # NUMBER OF A DATABASE: which nodes the lab has if the load was of that one
    cp -p "$data/lab.json" "$FILE.json"
    python3 -B - "$data/lab.json" "$1" <<'PY'
import json, sys
memory = json.load(open(sys.argv[1]))
memory["loaded"] = {**memory, "nodes": [1, 2], "database": int(sys.argv[2])}
json.dump(memory, open(sys.argv[1], "w"))
PY
    kin save "$FILE.remembered" --lab "$LAB" >/dev/null
    python3 -B -c 'import json, sqlite3, sys
print(json.loads(sqlite3.connect(sys.argv[1]).execute("SELECT note FROM saved").fetchone()[0])["nodes"])' \
        "$FILE.remembered"
    cp -p "$FILE.json" "$data/lab.json"
}
number=$(stat -c %i "$data/kin.db")
same "the database was not there yet: the old nodes" '[1, 2, 3, 4]' "$(remembered $((number + 1)))"
same "it was: the new ones" '[1, 2]' "$(remembered "$number")"
check "and starts" kin up --lab "$LAB" --detach --api-port 0
expect "with its secret" '^s3cret$' sh -c "'$KIN' kubectl --lab $LAB get secret key -o 'jsonpath={.data.password}' | base64 -d"
check "and its pods" k wait --for=condition=Ready pod -l app=web --timeout=30s
check "from standard input" sh -c "'$KIN' load - --lab $LAB-c <'$FILE'"
for lab in "$OTHER" "$LAB-c"; do check "reset" kin reset --yes --lab "$lab"; done
rm -rf "/tmp/$LAB.before" "/tmp/$LAB.after"
finish
