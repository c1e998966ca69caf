#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/api/views.h"
#include "core/base/result.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// A Secret's certificate (tls.crt, perhaps with its chain) and key (tls.key). kInvalid: why it is
/// none, in words for an Event. Pure.
Result<Certificate> read_certificate(const Secret& secret);

/// Whether the certificate's names, or without any its common name, cover `host`, which may be a
/// wildcard. Pure.
bool covers(const Certificate& certificate, const std::string& host);

/// Certificates read once: the same Secret, unchanged, gives the same object, by which the proxy
/// knows that it need not set up TLS anew.
class Certificates {
public:
    Result<std::shared_ptr<const Certificate>> read(const Secret& secret);
    /// Nobody names it any more.
    void forget(const ObjectKey& secret) { entries_.erase(secret); }

private:
    struct Entry {
        uint64_t revision = 0;
        std::shared_ptr<const Certificate> certificate;  // nullptr: `why`.
        std::string why;
    };
    std::map<ObjectKey, Entry> entries_;
};

}  // namespace kin::ingress
