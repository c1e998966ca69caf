#pragma once

#include <memory>
#include <utility>

#include "core/api/views.h"

namespace kin {

/// A view with its metadata and object, the other fields as they are by default: where every
/// decode() begins.
template <class T>
T with_metadata(std::shared_ptr<const Json> object) {
    T view;
    view.meta = decode_metadata(*object);
    view.object = std::move(object);
    return view;
}

}  // namespace kin
