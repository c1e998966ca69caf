#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace kin::test {

/// Compares answers with recorded ones.
///
/// A placeholder stands for a value that the server chose: "<uid:1>" is the same value wherever it
/// stands in a case, and "<uid:2>" another one; "<time>", "<age>", "<random>" and the like stand
/// for anything. So one matcher belongs to one case and remembers.
class Matcher {
public:
    /// `kind` is what the case is about.
    explicit Matcher(std::string kind) : kind_(std::move(kind)) {}

    /// Adds to `differences()` what is not as recorded, each with its path.
    void compare(const Json& expected, const Json& actual, const std::string& path = "");
    /// The same for text, placeholders inside it included.
    bool same_text(std::string_view expected, std::string_view actual);

    /// In what the answer means: codes, reasons, fields, values.
    const std::vector<std::string>& differences() const { return differences_; }
    /// In what it says to people: messages.
    const std::vector<std::string>& wordings() const { return wordings_; }
    void add_difference(std::string text) { differences_.push_back(std::move(text)); }
    /// Forgets the differences, not the values of placeholders.
    void forget_differences();

private:
    void compare_objects(const Json& expected, const Json& actual, const std::string& path);
    void compare_arrays(const Json& expected, const Json& actual, const std::string& path);
    bool bind(const std::string& placeholder, std::string_view value);

    const std::string kind_;
    std::map<std::string, std::string> values_;   ///< of "<uid:1>"
    std::map<std::string, std::string> holders_;  ///< "uid value" -> "<uid:1>"
    std::vector<std::string> differences_, wordings_;
};

}  // namespace kin::test
