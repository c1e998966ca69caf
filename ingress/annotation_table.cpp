#include "ingress/annotations.h"

namespace kin::ingress {

namespace {
constexpr Support kDone = Support::kDone, kIgnored = Support::kIgnored,
                  kRefused = Support::kRefused, kSkipped = Support::kSkipped;

constexpr std::string_view kNoAuth = "kin does not authenticate clients yet";
constexpr std::string_view kNoCanary = "kin does not split traffic for canaries yet";
constexpr std::string_view kNoCors = "kin adds no CORS headers yet";
constexpr std::string_view kNoFastCgi = "kin speaks HTTP only to pods";
constexpr std::string_view kNoLimits = "kin does not limit rates yet";
constexpr std::string_view kNoMirror = "kin does not mirror requests yet";
constexpr std::string_view kNoPushing = "no browser takes HTTP/2 pushes any more";
constexpr std::string_view kNoRanges = "kin does not tell clients by their addresses yet";
constexpr std::string_view kNoSnippets =
    "kin runs no nginx; ingress-nginx itself refuses snippets unless told otherwise";
constexpr std::string_view kNoTlsToPods = "kin speaks no TLS to pods yet";
constexpr std::string_view kNoTracing = "kin exports no traces";
constexpr std::string_view kNoWaf = "kin has no ModSecurity";
constexpr std::string_view kOwnTls = "kin chooses TLS ciphers by itself";
constexpr std::string_view kRandom = "kin chooses among a Service's pods without memory yet";
constexpr std::string_view kRetries = "kin retries by its own rules";
constexpr std::string_view kStreams = "kin streams bodies in bounded memory";
constexpr std::string_view kNotYet = "kin does not do this yet";

// clang-format off
constexpr AnnotationRow kRows[] = {
    {"affinity", kIgnored, kRandom, ""},
    {"affinity-canary-behavior", kIgnored, kRandom, ""},
    {"affinity-mode", kIgnored, kRandom, ""},
    {"allowlist-source-range", kRefused, kNoRanges, ""},
    {"app-root", kDone, "", ""},
    {"auth-always-set-cookie", kIgnored, kNoAuth, "false"},
    {"auth-cache-duration", kIgnored, kNoAuth, ""},
    {"auth-cache-key", kIgnored, kNoAuth, ""},
    {"auth-keepalive", kIgnored, kNoAuth, ""},
    {"auth-keepalive-requests", kIgnored, kNoAuth, ""},
    {"auth-keepalive-share-vars", kIgnored, kNoAuth, "false"},
    {"auth-keepalive-timeout", kIgnored, kNoAuth, ""},
    {"auth-method", kIgnored, kNoAuth, ""},
    {"auth-proxy-set-headers", kIgnored, kNoAuth, ""},
    {"auth-realm", kIgnored, kNoAuth, ""},
    {"auth-request-redirect", kIgnored, kNoAuth, ""},
    {"auth-response-headers", kIgnored, kNoAuth, ""},
    {"auth-secret", kIgnored, kNoAuth, ""},
    {"auth-secret-type", kIgnored, kNoAuth, ""},
    {"auth-signin", kIgnored, kNoAuth, ""},
    {"auth-signin-redirect-param", kIgnored, kNoAuth, ""},
    {"auth-snippet", kRefused, kNoSnippets, ""},
    {"auth-tls-error-page", kIgnored, kNoAuth, ""},
    {"auth-tls-match-cn", kRefused, kNoAuth, ""},
    {"auth-tls-pass-certificate-to-upstream", kIgnored, kNoAuth, "false"},
    {"auth-tls-secret", kRefused, kNoAuth, ""},
    {"auth-tls-verify-client", kIgnored, kNoAuth, "off"},
    {"auth-tls-verify-depth", kIgnored, kNoAuth, ""},
    {"auth-type", kRefused, kNoAuth, ""},
    {"auth-url", kRefused, kNoAuth, ""},
    {"backend-protocol", kRefused, "kin speaks plain HTTP/1.1 to pods only", "HTTP"},
    {"canary", kSkipped, kNoCanary, "false"},
    {"canary-by-cookie", kIgnored, kNoCanary, ""},
    {"canary-by-header", kIgnored, kNoCanary, ""},
    {"canary-by-header-pattern", kIgnored, kNoCanary, ""},
    {"canary-by-header-value", kIgnored, kNoCanary, ""},
    {"canary-weight", kIgnored, kNoCanary, ""},
    {"canary-weight-total", kIgnored, kNoCanary, ""},
    {"client-body-buffer-size", kIgnored, kStreams, ""},
    {"configuration-snippet", kRefused, kNoSnippets, ""},
    {"connection-proxy-header", kIgnored, "kin sets Connection itself", "keep-alive"},
    {"cors-allow-credentials", kIgnored, kNoCors, ""},
    {"cors-allow-headers", kIgnored, kNoCors, ""},
    {"cors-allow-methods", kIgnored, kNoCors, ""},
    {"cors-allow-origin", kIgnored, kNoCors, ""},
    {"cors-expose-headers", kIgnored, kNoCors, ""},
    {"cors-max-age", kIgnored, kNoCors, ""},
    {"custom-headers", kIgnored, kNotYet, ""},
    {"custom-http-errors", kIgnored, kNotYet, ""},
    {"default-backend", kIgnored, "a Service without endpoints answers 503 yet", ""},
    {"denylist-source-range", kRefused, kNoRanges, ""},
    {"disable-proxy-intercept-errors", kIgnored, kNotYet, ""},
    {"enable-access-log", kIgnored, "kin logs every request", "true"},
    {"enable-cors", kIgnored, kNoCors, "false"},
    {"enable-global-auth", kIgnored, kNoAuth, "false"},
    {"enable-influxdb", kIgnored, kNoTracing, "false"},
    {"enable-modsecurity", kIgnored, kNoWaf, "false"},
    {"enable-opentelemetry", kIgnored, kNoTracing, "false"},
    {"enable-opentracing", kIgnored, kNoTracing, "false"},
    {"enable-owasp-core-rules", kIgnored, kNoWaf, "false"},
    {"enable-owasp-modsecurity-crs", kIgnored, kNoWaf, "false"},
    {"enable-rewrite-log", kIgnored, kNotYet, "false"},
    {"fastcgi-index", kIgnored, kNoFastCgi, ""},
    {"fastcgi-params-configmap", kIgnored, kNoFastCgi, ""},
    {"force-ssl-redirect", kDone, "", ""},
    {"from-to-www-redirect", kIgnored, kNotYet, "false"},
    {"global-rate-limit", kIgnored, kNoLimits, ""},
    {"global-rate-limit-ignored-cidrs", kIgnored, kNoLimits, ""},
    {"global-rate-limit-key", kIgnored, kNoLimits, ""},
    {"global-rate-limit-window", kIgnored, kNoLimits, ""},
    {"http2-push-preload", kIgnored, kNoPushing, "false"},
    {"influxdb-host", kIgnored, kNoTracing, ""},
    {"influxdb-measurement", kIgnored, kNoTracing, ""},
    {"influxdb-port", kIgnored, kNoTracing, ""},
    {"influxdb-server-name", kIgnored, kNoTracing, ""},
    {"limit-allowlist", kIgnored, kNoLimits, ""},
    {"limit-burst-multiplier", kIgnored, kNoLimits, ""},
    {"limit-connections", kIgnored, kNoLimits, ""},
    {"limit-rate", kIgnored, kNoLimits, ""},
    {"limit-rate-after", kIgnored, kNoLimits, ""},
    {"limit-rpm", kIgnored, kNoLimits, ""},
    {"limit-rps", kIgnored, kNoLimits, ""},
    {"limit-whitelist", kIgnored, kNoLimits, ""},
    {"load-balance", kIgnored, kRandom, ""},
    {"mirror-host", kIgnored, kNoMirror, ""},
    {"mirror-request-body", kIgnored, kNoMirror, ""},
    {"mirror-target", kIgnored, kNoMirror, ""},
    {"modsecurity-snippet", kRefused, kNoSnippets, ""},
    {"modsecurity-transaction-id", kIgnored, kNoWaf, ""},
    {"opentelemetry-operation-name", kIgnored, kNoTracing, ""},
    {"opentelemetry-trust-incoming-span", kIgnored, kNoTracing, "false"},
    {"opentracing-operation-name", kIgnored, kNoTracing, ""},
    {"opentracing-trust-incoming-span", kIgnored, kNoTracing, "false"},
    {"permanent-redirect", kDone, "", ""},
    {"permanent-redirect-code", kDone, "", ""},
    {"preserve-trailing-slash", kIgnored, "kin redirects without touching the path", ""},
    {"proxy-body-size", kDone, "", ""},
    {"proxy-buffer-size", kIgnored, kStreams, ""},
    {"proxy-buffering", kIgnored, kStreams, "off"},
    {"proxy-buffers-number", kIgnored, kStreams, ""},
    {"proxy-busy-buffers-size", kIgnored, kStreams, ""},
    {"proxy-connect-timeout", kDone, "", ""},
    {"proxy-cookie-domain", kIgnored, kNotYet, "off"},
    {"proxy-cookie-path", kIgnored, kNotYet, "off"},
    {"proxy-http-version", kIgnored, "kin speaks HTTP/1.1 to pods", "1.1"},
    {"proxy-max-temp-file-size", kIgnored, kStreams, ""},
    {"proxy-next-upstream", kIgnored, kRetries, ""},
    {"proxy-next-upstream-timeout", kIgnored, kRetries, ""},
    {"proxy-next-upstream-tries", kIgnored, kRetries, ""},
    {"proxy-read-timeout", kDone, "", ""},
    {"proxy-redirect-from", kIgnored, kNotYet, "off"},
    {"proxy-redirect-to", kIgnored, kNotYet, "off"},
    {"proxy-request-buffering", kIgnored, kStreams, "off"},
    {"proxy-send-timeout", kIgnored, "kin waits 60 s for a pod to take more", "60"},
    {"proxy-ssl-ciphers", kIgnored, kNoTlsToPods, ""},
    {"proxy-ssl-name", kIgnored, kNoTlsToPods, ""},
    {"proxy-ssl-protocols", kIgnored, kNoTlsToPods, ""},
    {"proxy-ssl-secret", kIgnored, kNoTlsToPods, ""},
    {"proxy-ssl-server-name", kIgnored, kNoTlsToPods, "off"},
    {"proxy-ssl-verify", kIgnored, kNoTlsToPods, "off"},
    {"proxy-ssl-verify-depth", kIgnored, kNoTlsToPods, ""},
    {"relative-redirects", kIgnored, kNotYet, "false"},
    {"rewrite-target", kDone, "", ""},
    {"satisfy", kIgnored, kNoAuth, "all"},
    {"server-alias", kIgnored, kNotYet, ""},
    {"server-snippet", kRefused, kNoSnippets, ""},
    {"service-upstream", kIgnored, "kin always dials pods, not the Service's address", "false"},
    {"session-cookie-change-on-failure", kIgnored, kRandom, "false"},
    {"session-cookie-conditional-samesite-none", kIgnored, kRandom, "false"},
    {"session-cookie-domain", kIgnored, kRandom, ""},
    {"session-cookie-expires", kIgnored, kRandom, ""},
    {"session-cookie-hash", kIgnored, kRandom, ""},
    {"session-cookie-max-age", kIgnored, kRandom, ""},
    {"session-cookie-name", kIgnored, kRandom, ""},
    {"session-cookie-partitioned", kIgnored, kRandom, "false"},
    {"session-cookie-path", kIgnored, kRandom, ""},
    {"session-cookie-samesite", kIgnored, kRandom, ""},
    {"session-cookie-secure", kIgnored, kRandom, "false"},
    {"ssl-ciphers", kIgnored, kOwnTls, ""},
    {"ssl-passthrough", kRefused, "kin ends TLS itself", "false"},
    {"ssl-prefer-server-ciphers", kIgnored, kOwnTls, ""},
    {"ssl-redirect", kDone, "", ""},
    {"stream-snippet", kRefused, kNoSnippets, ""},
    {"temporal-redirect", kDone, "", ""},
    {"temporal-redirect-code", kDone, "", ""},
    {"upstream-hash-by", kIgnored, kRandom, ""},
    {"upstream-hash-by-subset", kIgnored, kRandom, "false"},
    {"upstream-hash-by-subset-size", kIgnored, kRandom, ""},
    {"upstream-vhost", kIgnored, kNotYet, ""},
    {"use-port-in-redirects", kIgnored, "kin names the port that the client asked", "false"},
    {"use-regex", kDone, "", ""},
    {"whitelist-source-range", kRefused, kNoRanges, ""},
    {"x-forwarded-prefix", kIgnored, kNotYet, ""},
};
// clang-format on
}  // namespace

std::span<const AnnotationRow> annotation_table() { return kRows; }

std::string_view name_of(Support support) {
    switch (support) {
        case kDone:
            return "done";
        case kIgnored:
            return "ignored";
        case kRefused:
            return "refused";
        case kSkipped:
            return "skipped";
    }
    return "";
}

}  // namespace kin::ingress
