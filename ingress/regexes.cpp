#include "ingress/regexes.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
constexpr size_t kLongestRegex = 1024;
constexpr int64_t kRegexMemory = 1 << 20;
}  // namespace

Result<std::shared_ptr<const re2::RE2>> Regexes::find(const std::string& text) {
    const auto known = known_.find(text);
    if (known != known_.end()) {
        if (auto pattern = known->second.lock()) return pattern;
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
    if (known_.size() >= sweep_at_) forget_unused();
    known_[text] = pattern;
    return pattern;
}

void Regexes::forget_unused() {
    std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
    sweep_at_ = std::max<size_t>(64, 2 * known_.size());
}

}  // namespace kin::ingress
