#include "ingress/host_compile.h"

#include <algorithm>
#include <map>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
/// A path of the host, with whose it is.
struct Draft {
    PathType type = PathType::kPrefix;
    std::string path;
    bool regex = false;  // Its own Ingress's word.
    Location location;
    ObjectKey ingress;
};

std::string host_text(const std::string& host) {
    return host.empty() ? "any host" : cat("host ", host);
}

/// "*.foo.com" covers "a.foo.com", one label.
bool wildcard_covers(const std::string& wildcard, const std::string& host) {
    if (!wildcard.starts_with("*.") || host.empty()) return false;
    const size_t dot = host.find('.');
    return dot != std::string::npos && host.substr(dot) == wildcard.substr(1);
}

bool names(const IngressTls& tls, const std::string& host) {
    return std::find(tls.hosts.begin(), tls.hosts.end(), host) != tls.hosts.end();
}

class HostCompilation {
public:
    HostCompilation(const std::string& name, const std::vector<Source>& sources, Parts& parts)
        : name_(name), sources_(sources), parts_(parts) {}

    HostPiece run() {
        look_for_regexes();
        for (const Source& source : sources_) add_rules(source);
        for (const Source& source : sources_) add_default_backend(source);
        for (const Source& source : sources_) add_certificates(source);
        finish();
        return std::move(out_);
    }

private:
    void look_for_regexes();
    void add_rules(const Source& source);
    void add_default_backend(const Source& source);
    void add_certificates(const Source& source);
    void add_certificate(const Source& source, const IngressTls& tls);
    std::shared_ptr<const Certificate> certificate_of(const Source& source, const IngressTls& tls);
    std::string add(const Source& source, const IngressPath& path);
    void finish();
    void add_regexes(VirtualHost& host);
    void add_regex(const Draft& draft, const std::string& text, VirtualHost& host);

    void find(const Source& source, std::string reason, std::string message) {
        find(source.ingress->key(), std::move(reason), std::move(message));
    }
    void find(const ObjectKey& ingress, std::string reason, std::string message) {
        out_.findings.insert({ingress, std::move(reason), std::move(message)});
    }

    const std::string& name_;
    const std::vector<Source>& sources_;
    Parts& parts_;
    bool exists_ = false;  // Somebody has a rule or a default backend for it.
    bool regex_ = false;   // One Ingress asks for it: all paths of the host are regexes.
    std::vector<Draft> paths_;
    std::map<std::pair<bool, std::string>, std::string> owners_;  // exact?, path -> Ingress
    std::shared_ptr<const Certificate> certificate_;
    HostPiece out_;
};

void HostCompilation::look_for_regexes() {
    for (const Source& source : sources_) {
        const bool everything = name_.empty() && source.ingress->default_backend;
        if (!everything && source.share->rules.empty()) continue;
        exists_ = true;
        regex_ |= source.said->regex;
    }
}

/// Adds a path if it is free; whose it is already, if not.
std::string HostCompilation::add(const Source& source, const IngressPath& wanted) {
    exists_ = true;
    Draft path;
    path.type = wanted.type;
    path.path = wanted.path.empty() ? "/" : wanted.path;
    path.regex = source.said->regex;
    path.ingress = source.ingress->key();
    const std::string ingress = path.ingress.to_string();
    const bool exact = path.type == PathType::kExact;
    std::string known = path.path;
    // A prefix is the same with and without a slash at its end; a regex is not.
    while (!exact && !regex_ && known.size() > 1 && known.ends_with('/')) known.pop_back();
    const auto [owner, is_new] = owners_.try_emplace({exact, known}, ingress);
    if (!is_new) return owner->second;

    const Backends::Found& found = parts_.backends.find(path.ingress.ns, wanted.backend);
    if (!wanted.backend.resource) out_.services.insert({path.ingress.ns, wanted.backend.service});
    if (!found.reason.empty()) find(source, found.reason, found.message);
    path.location.type = exact ? Location::Type::kExact : Location::Type::kPrefix;
    path.location.path = path.path;
    path.location.backend = found.backend;
    path.location.options = source.said->options;
    path.location.ingress = ingress;
    if (source.said->refused) {
        path.location.backend = std::make_shared<const Backend>(Backend{found.backend->name, {}});
    }
    paths_.push_back(std::move(path));
    return "";
}

void HostCompilation::add_rules(const Source& source) {
    const std::string ingress = source.ingress->key().to_string();
    for (const size_t rule : source.share->rules) {
        for (const IngressPath& path : source.ingress->rules[rule].paths) {
            const std::string owner = add(source, path);
            if (owner.empty()) continue;
            const std::string what = cat(host_text(name_), ", path ", path.path, " (",
                                         name_of(path.type), ") of Ingress ", ingress);
            find(source, "HostPathConflict",
                 owner == ingress
                     ? cat(what, " is there twice; the first counts")
                     : cat(what, " is left out: the older Ingress ", owner, " has it already"));
        }
    }
}

/// Of an Ingress's own hosts what no rule takes, and of hosts without rules all. Rules come before.
void HostCompilation::add_default_backend(const Source& source) {
    const Ingress& ingress = *source.ingress;
    if (!ingress.default_backend) return;
    const std::string owner = add(source, {PathType::kPrefix, "/", *ingress.default_backend});
    if (!name_.empty() || owner.empty() || !ingress.rules.empty()) return;
    const std::string name = ingress.key().to_string();
    if (owner == name) return;
    find(source, "HostPathConflict",
         cat("the default backend of Ingress ", name, " is left out: the older Ingress ", owner,
             " takes every host already"));
}

void HostCompilation::add_certificates(const Source& source) {
    for (const size_t tls : source.share->tls) add_certificate(source, source.ingress->tls[tls]);
}

std::shared_ptr<const Certificate> HostCompilation::certificate_of(const Source& source,
                                                                   const IngressTls& tls) {
    // kin's own: the hosts have TLS, and are redirected to it.
    const auto own = std::make_shared<const Certificate>();
    if (tls.secret.empty()) return own;
    const ObjectKey key{source.ingress->key().ns, tls.secret};
    out_.secrets.insert(key);
    const Secret* secret = parts_.find_secret(key);
    if (!secret) {
        find(source, "SecretNotFound",
             cat("there is no Secret ", key, "; its hosts get a certificate that nobody trusts"));
        return own;
    }
    auto certificate = parts_.certificates.read(*secret);
    if (certificate) return *certificate;
    find(source, "InvalidCertificate",
         cat("Secret ", key, " is no certificate: ", certificate.error().text(),
             "; its hosts get one that nobody trusts"));
    return own;
}

void HostCompilation::add_certificate(const Source& source, const IngressTls& tls) {
    const auto certificate = certificate_of(source, tls);
    if (exists_ && !certificate_) {
        certificate_ = certificate;
        if (!certificate->secret.empty() && !name_.empty() && !covers(*certificate, name_)) {
            find(source, "CertificateForOtherHosts",
                 cat("the certificate in Secret ", certificate->secret, " is not for ", name_));
        }
    }
    if (exists_ || !names(tls, name_)) return;
    const auto& rules = source.ingress->rules;
    const bool used = std::any_of(rules.begin(), rules.end(), [&](const IngressRule& rule) {
        return wildcard_covers(name_, rule.host);
    });
    if (used) return;
    find(source, "TlsHostWithoutRule",
         cat("TLS is asked for ", name_, ", but no rule is about that host"));
}

void HostCompilation::finish() {
    // Ingresses without rules or paths for it say nothing about the host of no name.
    if (!exists_ || (name_.empty() && paths_.empty() && !certificate_)) return;
    VirtualHost host{name_, {}, certificate_};
    if (regex_) {
        add_regexes(host);
    } else {
        for (Draft& path : paths_) host.locations.push_back(std::move(path.location));
    }
    out_.host = RouteTable::prepare(std::move(host));
}

/// As ingress-nginx writes them for nginx: a plain prefix, /foo, as /foo/ and /foo, which has its
/// effect on the order in which they are tried; somebody else's own /foo/ comes before that one.
/// Exact paths are regexes too, open at their end.
void HostCompilation::add_regexes(VirtualHost& host) {
    for (const Draft& path : paths_) {
        if (path.type == PathType::kExact) add_regex(path, path.path, host);
    }
    for (const Draft& path : paths_) {
        if (path.type == PathType::kExact) continue;
        const bool plain =
            path.type == PathType::kPrefix && !path.regex && !path.path.ends_with('/');
        const std::string longer = cat(path.path, '/');
        const bool taken = std::any_of(paths_.begin(), paths_.end(),
                                       [&](const Draft& other) { return other.path == longer; });
        if (plain && !taken) add_regex(path, longer, host);
        add_regex(path, path.path, host);
    }
}

void HostCompilation::add_regex(const Draft& draft, const std::string& text, VirtualHost& host) {
    for (const Location& there : host.locations) {
        if (there.path == text) return;
    }
    auto pattern = parts_.regexes.find(text);
    if (!pattern) {
        find(draft.ingress, "InvalidRegex",
             cat(host_text(name_), ", path ", draft.path,
                 " is left out: it is no regular expression of RE2: ", pattern.error().text()));
        return;
    }
    Location location = draft.location;
    location.type = Location::Type::kRegex;
    location.path = text;
    location.pattern = std::move(*pattern);
    host.locations.push_back(std::move(location));
}
}  // namespace

std::map<std::string, Share> shares_of(const Ingress& ingress) {
    std::map<std::string, Share> out;
    for (size_t i = 0; i < ingress.rules.size(); ++i) out[ingress.rules[i].host].rules.push_back(i);
    if (ingress.default_backend) out[""];
    std::set<std::string> of_rules;
    for (const auto& [host, share] : out) {
        if (!share.rules.empty()) of_rules.insert(host);
    }
    for (size_t i = 0; i < ingress.tls.size(); ++i) {
        const IngressTls& tls = ingress.tls[i];
        std::set<std::string> hosts(tls.hosts.begin(), tls.hosts.end());
        for (const std::string& named : tls.hosts) {
            if (!named.starts_with("*.")) continue;
            for (const std::string& host : of_rules) {
                if (wildcard_covers(named, host)) hosts.insert(host);
            }
        }
        if (hosts.empty()) hosts = of_rules.empty() ? std::set<std::string>{""} : of_rules;
        for (const std::string& host : hosts) out[host].tls.push_back(i);
    }
    return out;
}

HostPiece compile_host(const std::string& name, const std::vector<Source>& sources, Parts& parts) {
    return HostCompilation(name, sources, parts).run();
}

}  // namespace kin::ingress
