#pragma once

#include <map>
#include <string>

#include "core/base/ip.h"

namespace kin::dns {

/// The names that the world outside a lab has, all of them at the host `internet`: those that
/// tutorials ask for, and my-database.example.com for Services of type ExternalName.
std::map<std::string, Ipv4> outside_names(Ipv4 internet);

}  // namespace kin::dns
