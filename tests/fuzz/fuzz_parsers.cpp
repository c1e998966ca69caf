// libFuzzer's entry: the first byte chooses the parser, among those whose names begin with
// $KIN_FUZZ_PARSERS if it is set ("Ingress").
#include <cstdlib>

#include "parsers.h"

namespace {
std::vector<kin::test::Parser> chosen() {
    const char* wanted = std::getenv("KIN_FUZZ_PARSERS");
    std::vector<kin::test::Parser> out;
    for (const kin::test::Parser& parser : kin::test::parsers())
        if (!wanted || std::string_view(parser.name).starts_with(wanted)) out.push_back(parser);
    return out.empty() ? kin::test::parsers() : out;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, size_t size) {
    static const auto all = chosen();
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    all[bytes[0] % all.size()].read(text.substr(1));
    return 0;
}
