#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/selectors.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// What kin makes of an annotation of ingress-nginx.
enum class Support {
    kDone,
    kIgnored,  ///< Requests are served as without it, and an Event says so.
    kRefused,  ///< Without it requests would reach what they must not, or in a wrong way: they get
               ///< 503, and an Event says why.
    kSkipped,  ///< It makes the whole Ingress an addition to another one: it is left out.
};
std::string_view name_of(Support support);  ///< "done"

struct AnnotationRow {
    std::string_view name;  ///< without "nginx.ingress.kubernetes.io/"
    Support support = Support::kIgnored;
    std::string_view reason;   ///< of what is not done: "kin streams bodies"
    std::string_view neutral;  ///< A value that asks for nothing, and so for no Event.
};

/// Every annotation that ingress-nginx documents or once did, by name. None is passed over in
/// silence.
std::span<const AnnotationRow> annotation_table();

/// The annotations of one Ingress, read.
struct Annotated {
    struct Warning {
        std::string reason, message;  ///< of an Event
    };
    LocationOptions options;
    bool regex = false;    ///< use-regex or a rewrite: all paths of its hosts are regexes then
    bool refused = false;  ///< its paths answer 503
    bool skipped = false;  ///< it has no paths at all
    std::vector<Warning> warnings;
};
/// A value that cannot be read is as good as none, and gets a warning. Pure.
Annotated read_annotations(const Labels& annotations);

}  // namespace kin::ingress
