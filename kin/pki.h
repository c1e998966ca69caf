#pragma once

#include <string>

#include "core/base/result.h"
#include "core/http/tls.h"

namespace kin {

/// The lab's own certificates: a CA, the API server's and the admin's. Made once, kept in the data
/// folder with mode 0600.
struct Pki {
    http::KeyPair ca, server, admin;
    std::string token_secret;  ///< 32 random bytes, hex
};

/// Reads the files below `folder`, or makes them.
Result<Pki> load_or_create_pki(const std::string& folder);

/// A kubeconfig with one context, `context`, for kubectl and every client library.
std::string kubeconfig_text(const std::string& context, uint16_t port, const Pki& pki);

/// When a file is to survive a power loss: as soon as it is written, or once sync_private_file() has
/// been called for it. The disk takes milliseconds for each, which a start should not wait for.
enum class Durable { kNow, kLater };
/// Writes a file whole or not at all (write beside, fsync, rename, fsync of the folder), readable by
/// its owner only. Of a failure nothing stays. kLater: without fsync; after a power loss the file may
/// be empty.
Result<> write_private_file(const std::string& path, const std::string& content,
                            Durable durable = Durable::kNow);
void sync_private_file(const std::string& path);
/// Makes durable what load_or_create_pki() may have written.
void sync_pki(const std::string& folder);

}  // namespace kin
