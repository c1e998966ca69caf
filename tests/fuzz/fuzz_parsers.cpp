// libFuzzer's entry: the first byte chooses the parser.
#include "parsers.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, size_t size) {
    const auto& all = kin::test::parsers();
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    all[bytes[0] % all.size()].read(text.substr(1));
    return 0;
}
