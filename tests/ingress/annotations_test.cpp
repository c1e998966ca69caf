#include "ingress/annotations.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace kin::ingress {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

Annotated read(const Labels& short_names) {
    Labels annotations;
    for (const auto& [name, value] : short_names) {
        annotations["nginx.ingress.kubernetes.io/" + name] = value;
    }
    return read_annotations(annotations);
}

std::vector<std::string> reasons(const Annotated& annotated) {
    std::vector<std::string> out;
    for (const auto& warning : annotated.warnings) out.push_back(warning.reason);
    return out;
}

TEST(AnnotationsTest, TheTableIsInOrderAndGivesAReasonForWhatIsNotDone) {
    const auto rows = annotation_table();
    for (size_t at = 0; at < rows.size(); ++at) {
        if (at > 0) {
            EXPECT_LT(rows[at - 1].name, rows[at].name);
        }
        EXPECT_EQ(rows[at].reason.empty(), rows[at].support == Support::kDone) << rows[at].name;
    }
    EXPECT_GE(rows.size(), 117u);  // Rows of ingress-nginx's own page.
}

TEST(AnnotationsTest, NothingThatAsksForSomethingIsPassedOverInSilence) {
    for (const AnnotationRow& row : annotation_table()) {
        const Annotated annotated = read({{std::string(row.name), "something odd"}});
        EXPECT_THAT(annotated.warnings, Not(IsEmpty())) << row.name;
        EXPECT_EQ(annotated.refused, row.support == Support::kRefused) << row.name;
        EXPECT_EQ(annotated.skipped, row.support == Support::kSkipped) << row.name;
    }
}

TEST(AnnotationsTest, WhatAsksForNothingNeedsNoWarning) {
    EXPECT_THAT(read({{"enable-cors", "false"},
                      {"backend-protocol", "HTTP"},
                      {"canary", "false"},
                      {"auth-type", ""},
                      {"proxy-buffering", "off"}})
                    .warnings,
                IsEmpty());
    EXPECT_THAT(read_annotations({{"kubernetes.io/ingress.class", "nginx"},
                                  {"kubectl.kubernetes.io/last-applied-configuration", "{}"},
                                  {"example.com/owner", "me"}})
                    .warnings,
                IsEmpty());
}

TEST(AnnotationsTest, SaysWhatWarningsAreAbout) {
    const Annotated ignored = read({{"enable-cors", "true"}, {"limit-rps", "5"}});
    ASSERT_THAT(reasons(ignored), ElementsAre("AnnotationIgnored"));
    EXPECT_EQ(ignored.warnings[0].message,
              "no effect here: enable-cors (kin adds no CORS headers yet), "
              "limit-rps (kin does not limit rates yet)");
    const Annotated refused = read({{"auth-url", "http://auth/"}});
    ASSERT_THAT(reasons(refused), ElementsAre("AnnotationRefused"));
    EXPECT_EQ(refused.warnings[0].message,
              "auth-url: kin does not authenticate clients yet; what this Ingress routes gets 503");
    const Annotated unknown = read({{"rewrite-targe", "/"}});
    ASSERT_THAT(reasons(unknown), ElementsAre("UnknownAnnotation"));
    EXPECT_EQ(unknown.warnings[0].message, "ingress-nginx has no such annotation: rewrite-targe");
    EXPECT_THAT(reasons(read_annotations({{"alb.ingress.kubernetes.io/scheme", "internal"}})),
                ElementsAre("ForeignAnnotation"));
}

TEST(AnnotationsTest, ReadsWhatIsDone) {
    const Annotated annotated = read({{"rewrite-target", "/$2"},
                                      {"app-root", "/app1"},
                                      {"ssl-redirect", "false"},
                                      {"force-ssl-redirect", "true"},
                                      {"proxy-body-size", "8m"},
                                      {"proxy-connect-timeout", "2"},
                                      {"proxy-read-timeout", "3600"}});
    EXPECT_THAT(annotated.warnings, IsEmpty());
    const LocationOptions& options = annotated.options;
    EXPECT_EQ(options.rewrite_target, "/$2");
    EXPECT_TRUE(annotated.regex);
    EXPECT_EQ(options.app_root, "/app1");
    EXPECT_FALSE(options.ssl_redirect);
    EXPECT_TRUE(options.force_ssl_redirect);
    EXPECT_EQ(options.max_body_bytes, 8u << 20);
    EXPECT_EQ(options.connect_timeout, std::chrono::seconds(2));
    EXPECT_EQ(options.read_timeout, std::chrono::hours(1));
    EXPECT_TRUE(read({{"use-regex", "true"}}).regex);
    EXPECT_FALSE(read({{"use-regex", "false"}}).regex);
}

TEST(AnnotationsTest, ReadsRedirectsTheTemporalOneFirst) {
    const LocationOptions permanent =
        read({{"permanent-redirect", "https://new.example$request_uri"}}).options;
    EXPECT_EQ(permanent.redirect, "https://new.example$request_uri");
    EXPECT_EQ(permanent.redirect_code, 301);
    EXPECT_EQ(read({{"permanent-redirect", "http://a"}, {"permanent-redirect-code", "308"}})
                  .options.redirect_code,
              308);
    const LocationOptions both =
        read({{"permanent-redirect", "http://a"}, {"temporal-redirect", "http://b"}}).options;
    EXPECT_EQ(both.redirect, "http://b");
    EXPECT_EQ(both.redirect_code, 302);
    EXPECT_EQ(read({{"temporal-redirect", "http://b"}, {"temporal-redirect-code", "307"}})
                  .options.redirect_code,
              307);
}

TEST(AnnotationsTest, ReadsSizesAsNginxDoes) {
    const std::pair<std::string, uint64_t> cases[] = {
        {"0", 0}, {"100", 100}, {"1k", 1024}, {"2M", 2u << 20}, {"1g", 1u << 30}, {"7b", 7}};
    for (const auto& [text, bytes] : cases) {
        EXPECT_EQ(read({{"proxy-body-size", text}}).options.max_body_bytes, bytes) << text;
    }
    EXPECT_EQ(read({{"proxy-body-size", "99999999999g"}}).options.max_body_bytes, ~uint64_t{0});
}

TEST(AnnotationsTest, AValueThatCannotBeReadIsAsGoodAsNone) {
    const std::pair<std::string, std::string> cases[] = {
        {"use-regex", "yes"},
        {"ssl-redirect", ""},
        {"proxy-body-size", "8 MB"},
        {"proxy-body-size", "m"},
        {"proxy-body-size", "-1"},
        {"proxy-read-timeout", "60s"},
        {"proxy-read-timeout", "0"},
        {"proxy-connect-timeout", "99999999999"},
        {"permanent-redirect", "/elsewhere"},
        {"permanent-redirect", "javascript:alert(1)"},
        {"permanent-redirect", "http://a\r\nSet-Cookie: x=y"},
        {"permanent-redirect", "https://$host/x"},
        {"temporal-redirect-code", "200"},
        {"app-root", "app1"},
        {"app-root", "/a b"},
        {"rewrite-target", "x"},
        {"rewrite-target", "/$host"},
        {"rewrite-target", "/$"},
        {"rewrite-target", "/a b"},
    };
    for (const auto& [name, value] : cases) {
        const Annotated annotated = read({{name, value}});
        EXPECT_THAT(reasons(annotated), ElementsAre("InvalidAnnotation")) << name << ' ' << value;
        EXPECT_FALSE(annotated.regex);
        EXPECT_TRUE(annotated.options.rewrite_target.empty());
        EXPECT_TRUE(annotated.options.redirect.empty());
        EXPECT_TRUE(annotated.options.app_root.empty());
        EXPECT_EQ(annotated.options.max_body_bytes, 1u << 20);
    }
}

}  // namespace
}  // namespace kin::ingress
