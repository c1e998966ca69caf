#pragma once

#include <string>
#include <string_view>

#include "core/kernel/nft.h"
#include "tests/support/addresses.h"

namespace kin::test {

/// Two Services as kube-proxy's table holds them: one with two endpoints, one with none.
nft::Table service_table();
/// A table with every statement and every sort of set that there is.
nft::Table every_statement_table();

/// A listing with the elements of each set in alphabetical order, one per line: the kernel lists
/// them in the order of its hashes.
std::string with_sorted_elements(std::string_view listing);

}  // namespace kin::test
