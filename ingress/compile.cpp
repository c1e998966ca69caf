#include "ingress/compile.h"

#include <algorithm>
#include <tuple>

#include "core/base/strings.h"
#include "ingress/annotations.h"

namespace kin::ingress {

namespace {
constexpr size_t kLongestRegex = 1024;
constexpr int64_t kRegexMemory = 1 << 20;

/// A path of a host, with whose it is.
struct Draft {
    PathType type = PathType::kPrefix;
    std::string path;
    bool regex = false;  // Its own Ingress's word.
    Location location;
};

struct HostDraft {
    std::vector<Draft> paths;
    std::map<std::pair<bool, std::string>, std::string> owners;  // exact?, path -> Ingress
    std::shared_ptr<const Certificate> certificate;
    bool regex = false;  // One Ingress asks for it: all paths of the host are regexes.
};

/// An Ingress and its annotations, read.
struct Source {
    const Ingress* ingress = nullptr;
    Annotated said;
    std::string name() const { return ingress->key().to_string(); }
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

class Compilation {
public:
    Compilation(const Objects& objects, Certificates& certificates, Regexes& regexes)
        : objects_(objects),
          certificates_(certificates),
          regexes_(regexes),
          backends_(objects.find_service, objects.slices_of) {}

    Compiled run() {
        collect();
        mark_regex_hosts();
        for (const Source& source : sources_) add_rules(source);
        for (const Source& source : sources_) add_default_backend(source);
        for (const Source& source : sources_) add_certificates(source);
        out_.routes = std::make_shared<const RouteTable>(finish());
        out_.services = backends_.take_services();
        return std::move(out_);
    }

private:
    void collect();
    void mark_regex_hosts();
    void add_rules(const Source& source);
    void add_default_backend(const Source& source);
    void add_certificates(const Source& source);
    void add_certificate(const Source& source, const IngressTls& tls);
    std::shared_ptr<const Certificate> certificate_of(const Source& source, const IngressTls& tls);
    std::string add(const Source& source, const std::string& host, const IngressPath& path);
    std::vector<VirtualHost> finish();
    void add_regexes(const HostDraft& draft, VirtualHost& host);
    void add_regex(const Draft& draft, const std::string& text, VirtualHost& host);

    void find(const Source& source, std::string reason, std::string message) {
        find(source.ingress->key(), std::move(reason), std::move(message));
    }
    void find(const ObjectKey& ingress, std::string reason, std::string message) {
        out_.findings.insert({ingress, std::move(reason), std::move(message)});
    }

    const Objects& objects_;
    Certificates& certificates_;
    Regexes& regexes_;
    Backends backends_;
    std::vector<Source> sources_;  // The oldest first; without those that are skipped.
    std::map<std::string, HostDraft> hosts_;
    std::map<std::string, ObjectKey> keys_;  // of Ingresses, by their names
    Compiled out_;
};

void Compilation::collect() {
    std::vector<const Ingress*> ours;
    for (const Ingress* ingress : objects_.ingresses) {
        if (is_ours(*ingress, objects_.classes)) ours.push_back(ingress);
    }
    std::sort(ours.begin(), ours.end(), [](const Ingress* left, const Ingress* right) {
        return std::tie(left->meta.created, left->key()) <
               std::tie(right->meta.created, right->key());
    });
    for (const Ingress* ingress : ours) {
        out_.ingresses.insert(ingress->key());
        Source source{ingress, read_annotations(ingress->meta.annotations)};
        for (const auto& warning : source.said.warnings) {
            find(source, warning.reason, warning.message);
        }
        if (source.said.skipped) continue;
        keys_[source.name()] = ingress->key();
        sources_.push_back(std::move(source));
    }
}

void Compilation::mark_regex_hosts() {
    for (const Source& source : sources_) {
        const bool regex = source.said.regex;
        for (const IngressRule& rule : source.ingress->rules) hosts_[rule.host].regex |= regex;
        if (source.ingress->default_backend) hosts_[""].regex |= regex;
    }
}

/// Adds a path if it is free; whose it is already, if not.
std::string Compilation::add(const Source& source, const std::string& host,
                             const IngressPath& wanted) {
    HostDraft& draft = hosts_[host];
    Draft path;
    path.type = wanted.type;
    path.path = wanted.path.empty() ? "/" : wanted.path;
    path.regex = source.said.regex;
    const bool exact = path.type == PathType::kExact;
    std::string known = path.path;
    // A prefix is the same with and without a slash at its end; a regex is not.
    while (!exact && !draft.regex && known.size() > 1 && known.ends_with('/')) known.pop_back();
    const auto [owner, is_new] = draft.owners.try_emplace({exact, known}, source.name());
    if (!is_new) return owner->second;

    const Backends::Found& found = backends_.find(source.ingress->key().ns, wanted.backend);
    if (!found.reason.empty()) find(source, found.reason, found.message);
    path.location.type = exact ? Location::Type::kExact : Location::Type::kPrefix;
    path.location.path = path.path;
    path.location.backend = found.backend;
    path.location.options = source.said.options;
    path.location.ingress = source.name();
    if (source.said.refused) {
        path.location.backend = std::make_shared<const Backend>(Backend{found.backend->name, {}});
    }
    draft.paths.push_back(std::move(path));
    return "";
}

void Compilation::add_rules(const Source& source) {
    for (const IngressRule& rule : source.ingress->rules) {
        for (const IngressPath& path : rule.paths) {
            const std::string owner = add(source, rule.host, path);
            if (owner.empty()) continue;
            const std::string what = cat(host_text(rule.host), ", path ", path.path, " (",
                                         name_of(path.type), ") of Ingress ", source.name());
            find(source, "HostPathConflict",
                 owner == source.name()
                     ? cat(what, " is there twice; the first counts")
                     : cat(what, " is left out: the older Ingress ", owner, " has it already"));
        }
    }
}

/// Of its own hosts what no rule takes, and of hosts without rules all. Rules come before.
void Compilation::add_default_backend(const Source& source) {
    if (!source.ingress->default_backend) return;
    const IngressPath everything{PathType::kPrefix, "/", *source.ingress->default_backend};
    for (const IngressRule& rule : source.ingress->rules) {
        if (!rule.host.empty()) add(source, rule.host, everything);
    }
    for (const IngressTls& tls : source.ingress->tls) {
        for (const std::string& host : tls.hosts) add(source, host, everything);
    }
    const std::string owner = add(source, "", everything);
    if (!owner.empty() && owner != source.name() && source.ingress->rules.empty()) {
        find(source, "HostPathConflict",
             cat("the default backend of Ingress ", source.name(),
                 " is left out: the older Ingress ", owner, " takes every host already"));
    }
}

void Compilation::add_certificates(const Source& source) {
    for (const IngressTls& tls : source.ingress->tls) add_certificate(source, tls);
}

std::shared_ptr<const Certificate> Compilation::certificate_of(const Source& source,
                                                               const IngressTls& tls) {
    // kin's own: the hosts have TLS, and are redirected to it.
    const auto own = std::make_shared<const Certificate>();
    if (tls.secret.empty()) return own;
    const ObjectKey key{source.ingress->key().ns, tls.secret};
    out_.secrets.insert(key);
    const Secret* secret = objects_.find_secret(key);
    if (!secret) {
        find(source, "SecretNotFound",
             cat("there is no Secret ", key, "; its hosts get a certificate that nobody trusts"));
        return own;
    }
    auto certificate = certificates_.read(*secret);
    if (certificate) return *certificate;
    find(source, "InvalidCertificate",
         cat("Secret ", key, " is no certificate: ", certificate.error().text(),
             "; its hosts get one that nobody trusts"));
    return own;
}

void Compilation::add_certificate(const Source& source, const IngressTls& tls) {
    const auto certificate = certificate_of(source, tls);
    const auto give = [&](const std::string& name) {
        const auto host = hosts_.find(name);
        if (host == hosts_.end()) return false;
        if (host->second.certificate) return true;
        host->second.certificate = certificate;
        if (!certificate->secret.empty() && !name.empty() && !covers(*certificate, name)) {
            find(source, "CertificateForOtherHosts",
                 cat("the certificate in Secret ", certificate->secret, " is not for ", name));
        }
        return true;
    };
    std::vector<std::string> rule_hosts;
    for (const IngressRule& rule : source.ingress->rules) rule_hosts.push_back(rule.host);
    if (tls.hosts.empty()) {
        for (const std::string& host : rule_hosts) give(host);
        if (rule_hosts.empty()) give("");
    }
    for (const std::string& host : tls.hosts) {
        bool used = give(host);
        for (const std::string& rule : rule_hosts) {
            if (wildcard_covers(host, rule)) used |= give(rule);
        }
        if (!used) {
            find(source, "TlsHostWithoutRule",
                 cat("TLS is asked for ", host, ", but no rule is about that host"));
        }
    }
}

std::vector<VirtualHost> Compilation::finish() {
    std::vector<VirtualHost> out;
    for (auto& [name, draft] : hosts_) {
        // Ingresses without rules or paths for it say nothing about the host of no name.
        if (name.empty() && draft.paths.empty() && !draft.certificate) continue;
        VirtualHost host{name, {}, draft.certificate};
        if (draft.regex) {
            add_regexes(draft, host);
        } else {
            for (Draft& path : draft.paths) host.locations.push_back(std::move(path.location));
        }
        out.push_back(std::move(host));
    }
    return out;
}

/// As ingress-nginx writes them for nginx: a plain prefix, /foo, as /foo/ and /foo, which has its
/// effect on the order in which they are tried. Exact paths are regexes too, open at their end.
void Compilation::add_regexes(const HostDraft& draft, VirtualHost& host) {
    for (const Draft& path : draft.paths) {
        if (path.type == PathType::kExact) add_regex(path, path.path, host);
    }
    for (const Draft& path : draft.paths) {
        if (path.type == PathType::kExact) continue;
        const bool plain = path.type == PathType::kPrefix && !path.regex;
        if (plain && !path.path.ends_with('/')) add_regex(path, cat(path.path, '/'), host);
        add_regex(path, path.path, host);
    }
}

void Compilation::add_regex(const Draft& draft, const std::string& text, VirtualHost& host) {
    for (const Location& there : host.locations) {
        if (there.path == text) return;
    }
    auto pattern = regexes_.find(text);
    if (!pattern) {
        find(keys_[draft.location.ingress], "InvalidRegex",
             cat(host_text(host.name), ", path ", draft.path,
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

bool is_ours(const Ingress& ingress, const std::vector<const IngressClass*>& classes) {
    const auto legacy = ingress.meta.annotations.find("kubernetes.io/ingress.class");
    const bool by_annotation = legacy != ingress.meta.annotations.end();
    const std::string& name = by_annotation ? legacy->second : ingress.class_name;
    if (by_annotation && name == "nginx") return true;  // No class of that name needs to be there.
    return std::any_of(classes.begin(), classes.end(), [&](const IngressClass* one) {
        return one->key().name == name && one->controller == kController;
    });
}

Result<std::shared_ptr<const re2::RE2>> Regexes::find(const std::string& text) {
    if (const auto known = now_.find(text); known != now_.end()) return known->second;
    if (const auto known = before_.find(text); known != before_.end()) {
        return now_[text] = known->second;
    }
    if (text.size() > kLongestRegex) {
        return Error(Errc::kInvalid, cat("it is longer than ", kLongestRegex, " bytes"));
    }
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_case_sensitive(false);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_max_mem(kRegexMemory);
    auto pattern = std::make_shared<const re2::RE2>(text, options);
    if (!pattern->ok()) return Error(Errc::kInvalid, pattern->error());
    return now_[text] = std::move(pattern);
}

void Regexes::forget_others() { before_ = std::exchange(now_, {}); }

Compiled Compiler::compile(const Objects& objects) {
    Compiled out = Compilation(objects, certificates_, regexes_).run();
    certificates_.forget_others();
    regexes_.forget_others();
    return out;
}

}  // namespace kin::ingress
