#include "core/api/yaml.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"

namespace kin {
namespace {

std::string read(std::string_view text) {
    const auto parsed = parse_yaml(text);
    return parsed ? to_text(*parsed) : parsed.error().text();
}

struct Case {
    std::string yaml, json;
};

// What kubectl makes of the same inputs.
TEST(YamlTest, ScalarsMeanWhatTheyMeanToKubectl) {
    const Case cases[] = {
        {"[y, Y, yes, YES, on, On, true, TRUE]", "[true,true,true,true,true,true,true,true]"},
        {"[n, N, no, NO, off, Off, false, False]",
         "[false,false,false,false,false,false,false,false]"},
        {"[yEs, oN, tRUE, nUll]", R"(["yEs","oN","tRUE","nUll"])"},
        {"[~, null, Null, NULL, ]", "[null,null,null,null]"},
        {"[0777, 0o17, 0x1f, 0X1F, 0b11, -0b11, 1_000, +1, 08, 0, -0]",
         "[511,15,31,31,3,-3,1000,1,8,0,0]"},
        {"[0x, 0o8, 1__0, 0b2]", R"(["0x","0o8",10,"0b2"])"},
        {"[1e3, .5, 1.0, 1., +.5, -.5, .5_0, .5_, 1_0.5, 1e400, .e1, .]",
         R"([1000,0.5,1,1,0.5,-0.5,0.5,".5_",10.5,"1e400",".e1","."])"},
        {"[190:20:30, 2001-01-01, 2001-13-01, 1.2.3]",
         R"(["190:20:30","2001-01-01","2001-13-01","1.2.3"])"},
        {"[9223372036854775807, 18446744073709551615, 18446744073709551616]",
         "[9223372036854775807,18446744073709551615,1.8446744073709552e+19]"},
        {"['1', \"yes\", '']", R"(["1","yes",""])"},
        {"[!!binary aGVsbG8=, !!str 12, !!int \"12\", !!float 3, !foo 12, ! 12, !!bool y]",
         R"(["hello","12",12,3,"12","12",true])"},
        {"{1: a, yes: b, 1.5: c, 0x10: d, 1000000.5: e, ~x: f}",
         R"({"1":"a","1.0000005e+06":"e","1.5":"c","16":"d","true":"b","~x":"f"})"},
        {"a: |\n  text\n  more\nb: >-\n  folded\n  line\n",
         R"({"a":"text\nmore\n","b":"folded line"})"},
    };
    for (const Case& c : cases) EXPECT_EQ(read(c.yaml), c.json) << c.yaml;
}

TEST(YamlTest, AnchorsAreExpandedAndMapsMergedInTheOrderWritten) {
    EXPECT_EQ(read("a: &x {p: 1}\nb: *x\nc: [*x, *x]"),
              R"({"a":{"p":1},"b":{"p":1},"c":[{"p":1},{"p":1}]})");
    EXPECT_EQ(read("<<: {a: 2}\na: 1"), R"({"a":1})");
    EXPECT_EQ(read("a: 1\n<<: {a: 2}"), R"({"a":2})");
    EXPECT_EQ(read("<<: [{a: 1}, {a: 2, b: 3}]"), R"({"a":1,"b":3})");
    EXPECT_EQ(read("x: &x {a: 1}\nz: {<<: *x, b: 2}"), R"({"x":{"a":1},"z":{"a":1,"b":2}})");
}

TEST(YamlTest, ErrorsNameLineAndColumn) {
    const Case cases[] = {
        {"a: 1\nb: &x [*x]", "yaml: line 2, column 8: anchor 'x' value contains itself"},
        {"a: *x", "yaml: line 1, column 4: unknown anchor 'x' referenced"},
        {"a: @b", "yaml: line 1, column 4: found character that cannot start any token"},
        {"a:\n\t- b", "yaml: line 2, column 1: found character that cannot start any token"},
        {"a: b: c", "yaml: line 1, column 5: mapping values are not allowed in this context"},
        {"a: !!int abc", "yaml: line 1, column 4: cannot decode !!str `abc` as a !!int"},
        {"a: !!binary $", "yaml: line 1, column 4: !!binary value contains invalid base64 data"},
        {"~: a", "yaml: line 1, column 1: a map key is null"},
        {"? [a]\n: b", "yaml: line 1, column 3: invalid map key: a list or a map"},
        {"a: .inf", "yaml: line 1, column 4: unsupported value: .inf"},
        {"<<: 5",
         "yaml: line 1, column 5: map merge requires map or sequence of maps as the value"},
        {"a: \xff", "yaml: invalid leading UTF-8 octet at byte 3"},
        {std::string("a: \0", 4), "yaml: control characters are not allowed at byte 3"},
        {"a: 1\n---\nb: 2", "yaml: 2 documents where one is expected"},
    };
    for (const Case& c : cases) EXPECT_EQ(read(c.yaml), c.json) << c.yaml;
}

TEST(YamlTest, DocumentsKnowTheirLinesAndTheirDuplicateKeys) {
    const auto read =
        read_yaml("# first\na: 1\na: 2\n---\n---\n# nothing\n---\n\nb: {c: 1, c: 2}\n");
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ((*read)[0].line, 2);
    EXPECT_EQ((*read)[0].value["a"], 2);
    EXPECT_EQ((*read)[0].duplicates,
              std::vector<std::string>{R"(line 3: key "a" already set in map)"});
    EXPECT_EQ((*read)[1].line, 9);
    EXPECT_EQ((*read)[1].duplicates.size(), 1u);
}

TEST(YamlTest, JsonIsRead) {
    EXPECT_EQ(read("{\n\t\"a\": [1, 2.5]\n}\n"), R"({"a":[1,2.5]})");
    EXPECT_EQ(read("{a: 1}"), R"({"a":1})");
    EXPECT_EQ(read(""), "null");
}

TEST(YamlTest, BudgetsStopHostileInput) {
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        std::string list;
        for (int k = 0; k < 9; ++k) list += cat(k ? ", " : "", "*a", i - 1);
        laughs += cat("a", i, ": &a", i, " [", list, "]\n");
    }
    EXPECT_TRUE(read(laughs).ends_with("document contains excessive aliasing")) << read(laughs);

    const std::string big =
        cat("a: &a ", std::string(1 << 20, 'x'), "\nb: [", std::string(20, ' '));
    std::string repeated = big;
    for (int i = 0; i < 20; ++i) repeated += "*a, ";
    EXPECT_TRUE(read(repeated + "]").ends_with("document contains excessive aliasing"));

    EXPECT_NE(read(std::string(50'000, '[')).find("nests deeper"), std::string::npos);
    std::string chain = "a0: &a0 [x]\n";
    for (int i = 1; i < 200; ++i) chain += cat("a", i, ": &a", i, " [*a", i - 1, "]\n");
    EXPECT_NE(read(chain).find("nests deeper"), std::string::npos);
    std::string many = "[";
    for (int i = 0; i < 1'000'000; ++i) many += "1,";
    EXPECT_NE(read(many + "]").find("more than 500000 values"), std::string::npos);
    EXPECT_NE(read(std::string(4 << 20, 'x')).find("larger than"), std::string::npos);
}

TEST(YamlTest, IsWrittenAsKubectlWritesIt) {
    const Json object = {
        {"apiVersion", "v1"},
        {"data", {{"a10", "x"}, {"a2", ""}, {"_z", "yes"}, {"B", "0777"}, {"b", "1e3"}}},
        {"empty", {{"list", Json::array()}, {"map", Json::object()}, {"none", nullptr}}},
        {"list", {1, 2.5, true, "a: b", "- x", "#c", "190:20:30", "2001-01-01", 1e20, 1.0}},
        {"nested", {{{"name", "a"}, {"args", {"-c", "echo 'hi'"}}}, Json::array({1, 2})}},
        {"text", "one\ntwo\n"},
        {"chomped", "one\n  two"},
        {"blank", " lead"},
        {"unicode", "h\u00e9 \u2713"},
        {"tab", "a\tb"},
    };
    EXPECT_EQ(to_yaml(object), R"(apiVersion: v1
blank: ' lead'
chomped: |-
  one
    two
data:
  _z: "yes"
  B: "0777"
  a2: ""
  a10: x
  b: "1e3"
empty:
  list: []
  map: {}
  none: null
list:
- 1
- 2.5
- true
- 'a: b'
- '- x'
- '#c'
- "190:20:30"
- "2001-01-01"
- 1e+20
- 1
nested:
- args:
  - -c
  - echo 'hi'
  name: a
- - 1
  - 2
tab: "a\tb"
text: |
  one
  two
unicode: hé ✓
)");
}

/// Any JSON whose strings are made of what YAML finds special.
Json random_json(std::mt19937& random, int depth) {
    const auto text = [&] {
        static const char* const kParts[] = {
            "a", " ", "\n", ":", "#", "-", "'", "\"", "1", "\t", "\u00e9", "yes", "0x", "{",
            "[", "&", "*",  "!", "|", ">", "%", "@",  "`", "\\", ",",      "e",   "."};
        std::string out;
        for (size_t n = random() % 6; n > 0; --n) out += kParts[random() % std::size(kParts)];
        return out;
    };
    const auto kind = random() % (depth > 3 ? 5 : 7);
    if (kind == 0) return static_cast<int64_t>(random()) - 1'000'000;
    if (kind == 1) return static_cast<double>(random()) / 1024;
    if (kind == 2) return random() % 3 ? Json(random() % 2 == 0) : Json(nullptr);
    if (kind < 5) return text();
    Json out = kind == 5 ? Json::array() : Json::object();
    for (size_t n = random() % 5; n > 0; --n) {
        if (kind == 5)
            out.push_back(random_json(random, depth + 1));
        else
            out[text()] = random_json(random, depth + 1);
    }
    return out;
}

TEST(YamlTest, WhatIsWrittenReadsBackTheSame) {
    std::mt19937 random(42);
    for (int round = 0; round < 1'000; ++round) {
        const Json json = {{"v", random_json(random, 0)}};
        const std::string yaml = to_yaml(json);
        const auto back = parse_yaml(yaml);
        ASSERT_TRUE(back) << back.error().text() << '\n' << yaml;
        ASSERT_EQ(*back, json) << yaml;
    }
}

TEST(YamlTest, SurvivesMutatedDocuments) {
    const std::string seed =
        "a: &x {b: [1, 'two', \"th\\u00e9\"], c: |\n  text\n }\n"
        "d: *x\n<<: *x\ne: !!binary aGVsbG8=\n? f\n: - g\n  - h: >-\n      i\n---\nj: 0x1f # k\n";
    std::mt19937 random(11);
    for (int round = 0; round < 5'000; ++round) {
        std::string text = seed;
        for (size_t changes = random() % 4 + 1; changes > 0; --changes) {
            const size_t at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.insert(at, 1, "{}[]\",:\\&*!|>-?\n #"[random() % 19]);
                    break;
                case 2:
                    text.erase(at, random() % 5 + 1);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 20));
            }
            if (text.empty()) text = "a";
        }
        const auto documents = parse_yaml_documents(text);
        if (!documents) continue;
        for (const Json& document : *documents) to_yaml(document);
    }
}

}  // namespace
}  // namespace kin
