#include <gtest/gtest.h>

#include <random>

#include "parsers.h"

namespace kin::test {
namespace {

using Random = std::mt19937;

size_t below(Random& random, size_t limit) { return limit == 0 ? 0 : random() % limit; }

/// One change of the kinds that break parsers: bytes, lengths, order, repetition.
void mutate(std::string& text, const std::string& other, Random& random) {
    const size_t at = below(random, text.size() + 1);
    const size_t length = below(random, std::min<size_t>(text.size() - at, 16) + 1);
    static constexpr char kEdges[] = {'\0', '\xff', '\x7f', '\x80', '\r', '\n', ':', '0', ' '};
    switch (random() % 7) {
        case 0:
            if (at < text.size()) text[at] = static_cast<char>(random());
            break;
        case 1:
            if (at < text.size()) text[at] = kEdges[below(random, sizeof kEdges)];
            break;
        case 2:
            text.erase(at, length);
            break;
        case 3:
            text.insert(at, text.substr(at, length));
            break;
        case 4:
            text.insert(at, 1, static_cast<char>(random()));
            break;
        case 5:
            text.resize(at);
            break;
        case 6:
            text.insert(at, other.substr(below(random, other.size())));
            break;
    }
}

class ParserTest : public testing::TestWithParam<Parser> {};

TEST_P(ParserTest, KeepsItsPromisesOnSeedsAndTheirMutations) {
    const Parser& parser = GetParam();
    for (const std::string& seed : parser.seeds) parser.read(seed);
    Random random(20260101);
    for (int round = 0; round < 4000; ++round) {
        std::string text = parser.seeds[below(random, parser.seeds.size())];
        const std::string& other = parser.seeds[below(random, parser.seeds.size())];
        for (size_t changes = 1 + below(random, 6); changes > 0; --changes)
            mutate(text, other, random);
        if (text.size() < (64u << 10)) parser.read(text);
    }
}

INSTANTIATE_TEST_SUITE_P(All, ParserTest, testing::ValuesIn(parsers()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace kin::test
