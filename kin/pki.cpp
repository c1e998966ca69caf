#include "kin/pki.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"

namespace kin {

namespace {
Result<http::KeyPair> load_pair(const std::string& folder, const std::string& name) {
    http::KeyPair pair;
    TRY_ASSIGN(pair.certificate_pem, read_file(cat(folder, '/', name, ".crt")));
    TRY_ASSIGN(pair.key_pem, read_file(cat(folder, '/', name, ".key")));
    return pair;
}

Result<> save_pair(const std::string& folder, const std::string& name, const http::KeyPair& pair) {
    TRY(write_private_file(cat(folder, '/', name, ".key"), pair.key_pem, Durable::kLater));
    return write_private_file(cat(folder, '/', name, ".crt"), pair.certificate_pem,
                              Durable::kLater);
}

std::string random_secret() {
    std::array<unsigned char, 32> bytes{};
    KIN_ASSERT(RAND_bytes(bytes.data(), bytes.size()) == 1);
    return hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Result<Pki> create_pki(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return Error::from_errno(cat("make ", folder));
    }
    Pki pki;
    TRY_ASSIGN(pki.ca, http::make_ca("kin"));
    TRY_ASSIGN(pki.server,
               http::make_server_certificate(
                   pki.ca, "kube-apiserver",
                   {"IP:127.0.0.1", "DNS:localhost", "IP:10.96.0.1", "IP:172.30.0.2",
                    "DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc",
                    "DNS:kubernetes.default.svc.cluster.local"}));
    TRY_ASSIGN(pki.admin,
               http::make_client_certificate(pki.ca, {"kubernetes-admin", {"system:masters"}}));
    pki.token_secret = random_secret();
    TRY(save_pair(folder, "server", pki.server));
    TRY(save_pair(folder, "admin", pki.admin));
    TRY(write_private_file(folder + "/token-secret", pki.token_secret, Durable::kLater));
    // Last: where the CA is, everything is, unless power was lost before sync_pki().
    TRY(save_pair(folder, "ca", pki.ca));
    return pki;
}

Result<> write_all(int file, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const ssize_t count = ::write(file, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return Error::from_errno(cat("write ", path));
        content.remove_prefix(static_cast<size_t>(count));
    }
    return Ok{};
}
}  // namespace

Result<> write_private_file(const std::string& path, const std::string& content, Durable durable) {
    // A new file under a name of its own: what somebody may have put beside it, with a mode, an
    // owner or a link of their choice, is not used.
    std::string beside = path + ".XXXXXX";
    const UniqueFd file(::mkostemp(beside.data(), O_CLOEXEC));
    if (!file.valid()) return Error::from_errno(cat("create a file beside ", path));
    Result<> written = write_all(file.get(), content, path);
    // Before it takes the name: after a power loss there is the old file or all of the new one.
    if (written && durable == Durable::kNow && ::fsync(file.get()) != 0) {
        written = Error::from_errno(cat("sync ", path));
    }
    if (written && ::rename(beside.c_str(), path.c_str()) != 0) {
        written = Error::from_errno(cat("rename ", path));
    }
    if (!written) {
        ::unlink(beside.c_str());
        return written;
    }
    if (durable == Durable::kNow) sync_folder_of(path);
    return Ok{};
}

namespace {
void sync_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.valid()) ::fsync(file.get());
}
}  // namespace

void sync_private_file(const std::string& path) {
    sync_file(path);
    sync_folder_of(path);
}

void sync_pki(const std::string& folder) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        sync_file(entry.path());
    sync_folder_of(folder + "/");
    sync_folder_of(folder);
}

Result<Pki> load_or_create_pki(const std::string& folder) {
    auto ca = load_pair(folder, "ca");
    if (!ca) {
        if (ca.error().code() != Errc::kNotFound) return ca.error();
        return create_pki(folder);
    }
    Pki pki;
    pki.ca = std::move(*ca);
    TRY_ASSIGN(pki.server, load_pair(folder, "server"));
    TRY_ASSIGN(pki.admin, load_pair(folder, "admin"));
    TRY_ASSIGN(pki.token_secret, read_file(folder + "/token-secret"));
    // What a power loss at a first start has left: nobody has seen that lab.
    const auto lost = [](const http::KeyPair& pair) {
        return pair.certificate_pem.empty() || pair.key_pem.empty();
    };
    if (lost(pki.ca) || lost(pki.server) || lost(pki.admin) || pki.token_secret.empty())
        return create_pki(folder);
    return pki;
}

std::string kubeconfig_text(const std::string& context, uint16_t port, const Pki& pki) {
    return cat(
        "apiVersion: v1\nkind: Config\ncurrent-context: ", context,
        "\nclusters:\n- name: ", context, "\n  cluster:\n    server: https://127.0.0.1:", port,
        "\n    certificate-authority-data: ", base64_encode(pki.ca.certificate_pem),
        "\nusers:\n- name: ", context,
        "-admin\n  user:\n    client-certificate-data: ", base64_encode(pki.admin.certificate_pem),
        "\n    client-key-data: ", base64_encode(pki.admin.key_pem),
        "\ncontexts:\n- name: ", context, "\n  context:\n    cluster: ", context,
        "\n    user: ", context, "-admin\n    namespace: default\n");
}

}  // namespace kin
