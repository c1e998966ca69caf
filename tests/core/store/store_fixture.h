#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/strings.h"
#include "core/store/store.h"

namespace kin::test {

/// A new folder that ends, with all in it, with this object.
class TempFolder {
public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "kin-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    std::string file(std::string_view name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::unique_ptr<Store> open_store(Store::Options options) {
    auto store = Store::open(options);
    EXPECT_TRUE(store) << store.error().text();
    return store ? std::move(*store) : nullptr;
}
inline std::unique_ptr<Store> open_store(const std::string& path = ":memory:") {
    Store::Options options;
    options.path = path;
    return open_store(options);
}

/// A ConfigMap, or anything that looks like one, with `value` in it.
inline NewObject an_object(const ObjectKey& key, std::string_view value,
                           std::string_view resource = "configmaps") {
    return {std::string(resource),
            key,
            cat(R"({"apiVersion":"v1","data":{"value":")", value,
                R"("},"kind":"ConfigMap","metadata":{"labels":{"of":")", key.name, R"("},"name":")",
                key.name, R"(","namespace":")", key.ns, R"(","resourceVersion":""}})"),
            {{"of", key.name}}};
}

inline StoredPtr put(Store& store, const ObjectKey& key, std::string_view value,
                     std::string_view resource = "configmaps") {
    StoredPtr out;
    const auto done =
        store.run([&](StoreTransaction& tx) { out = tx.put(an_object(key, value, resource)); });
    EXPECT_TRUE(done) << done.error().text();
    return out;
}

inline StoredPtr remove(Store& store, const ObjectKey& key,
                        std::string_view resource = "configmaps") {
    StoredPtr out;
    const auto done = store.run([&](StoreTransaction& tx) { out = tx.remove(resource, key); });
    EXPECT_TRUE(done) << done.error().text();
    return out;
}

}  // namespace kin::test
