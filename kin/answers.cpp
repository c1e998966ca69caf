#include "kin/answers.h"

namespace kin {

http::Response json_response(int code, const Json& json) {
    return {code, "application/json", to_text(json) + '\n'};
}

http::Response refusal(const Error& error) {
    const int code = error.code() == Errc::kNotFound  ? 404
                     : error.code() == Errc::kInvalid ? 422
                                                      : 500;
    return json_response(code, {{"message", error.text()}});
}

}  // namespace kin
