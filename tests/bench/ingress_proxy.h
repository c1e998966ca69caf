#pragma once

namespace kin::bench {

/// The ingress proxy alone, on 127.0.0.1: passes what comes to `port`, and with TLS to `tls_port`,
/// on to `backend_port`. Until it is ended; then it says what it cost.
void serve_ingress_proxy(int port, int tls_port, int backend_port);

}  // namespace kin::bench
