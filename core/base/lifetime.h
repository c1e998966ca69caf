#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace kin {

/// Lets callbacks end with their owner: bind() wraps one so that it does nothing once this object
/// is destroyed. For subscriptions and answers that may come after whoever wanted them is gone.
/// Calls and destruction must happen on one thread.
class Lifetime {
public:
    Lifetime() = default;
    Lifetime(const Lifetime&) = delete;
    Lifetime& operator=(const Lifetime&) = delete;

    /// `call`, for as long as this object lives; afterwards the result type's zero.
    template <class F>
    auto bind(F call) const {
        return [alive = std::weak_ptr<const int>(token_), call = std::move(call)](
                   auto&&... args) -> std::invoke_result_t<const F&, decltype(args)...> {
            using R = std::invoke_result_t<const F&, decltype(args)...>;
            if (alive.expired()) {
                if constexpr (std::is_void_v<R>) {
                    return;
                } else {
                    return R{};
                }
            }
            return call(std::forward<decltype(args)>(args)...);
        };
    }

private:
    std::shared_ptr<const int> token_ = std::make_shared<const int>(0);
};

}  // namespace kin
