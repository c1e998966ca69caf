#include "netns/pod/volumes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/base/strings.h"
#include "netns/pod/pod_directory.h"
#include "tests/netns/pod/pods.h"

namespace kin::netns {
namespace {

namespace fs = std::filesystem;

class VolumesTest : public testing::Test {
protected:
    VolumesTest() {
        source_.config_map = [this](const ObjectKey& key) {
            return key.name == "cm" ? &config_map_ : nullptr;
        };
        source_.secret = [this](const ObjectKey& key) {
            return key.name == "s" ? &secret_ : nullptr;
        };
    }

    /// "path=content mode" of each file, or the error.
    std::string files(const std::string& volume) {
        const Pod pod = test::pod_with(R"("containers":[{"name":"c","resources":
            {"limits":{"cpu":"2"}}}],"volumes":[{"name":"v",)" +
                                       volume + "}]");
        const PodSpec spec = decode_pod_spec(pod);
        const DownwardView view{spec, pod.meta.labels, pod.meta.annotations, {}, {}};
        const TokenSource tokens = [](const TokenRequest& request) -> Result<std::string> {
            return cat("token of ", request.service_account, " for '", request.audience, "'");
        };
        const auto made = volume_files(spec.volumes.at(0), view, source_, tokens);
        if (!made) return made.error().text();
        std::vector<std::string> lines;
        for (const VolumeFile& file : *made) {
            char mode[8];
            std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(file.mode));
            lines.push_back(cat(file.path, '=', file.content, ' ', mode));
        }
        return join(lines, "\n");
    }

    const Json config_map_{{"data", {{"a", "1"}, {"b", "2"}}}, {"binaryData", {{"c", "Mw=="}}}};
    const Json secret_{{"data", {{"k", "aGk="}}}};
    ConfigSource source_;
};

TEST_F(VolumesTest, ConfigMapAndSecretKeysAreFiles) {
    EXPECT_EQ(files(R"("configMap":{"name":"cm"})"), "a=1 644\nb=2 644\nc=3 644");
    EXPECT_EQ(files(R"("configMap":{"name":"cm","defaultMode":256,
                       "items":[{"key":"b","path":"x/y","mode":448}]})"),
              "x/y=2 700");
    EXPECT_EQ(files(R"("secret":{"secretName":"s","defaultMode":256})"), "k=hi 400");
}

TEST_F(VolumesTest, MissingObjectsAndKeysAreNamed) {
    EXPECT_EQ(files(R"("configMap":{"name":"gone"})"), "configmap \"gone\" not found");
    EXPECT_EQ(files(R"("configMap":{"name":"gone","optional":true})"), "");
    EXPECT_EQ(files(R"("secret":{"secretName":"s","items":[{"key":"no","path":"p"}]})"),
              "references non-existent secret key: no");
}

TEST_F(VolumesTest, HostPathIsRefusedButForTheRoot) {
    EXPECT_EQ(files(R"("hostPath":{"path":"/","type":""})"), "");
    EXPECT_NE(files(R"("hostPath":{"path":"/etc"})").find("hostPath is refused"),
              std::string::npos);
    EXPECT_EQ(files(R"("nfs":{"path":"/"})"), "kin has no volumes of type nfs");
}

TEST_F(VolumesTest, ProjectionMixesSources) {
    EXPECT_EQ(files(R"("projected":{"sources":[{"serviceAccountToken":{"path":"token"}},
        {"configMap":{"name":"cm","items":[{"key":"a","path":"ca.crt"}]}},
        {"downwardAPI":{"items":[{"path":"ns","fieldRef":{"fieldPath":"metadata.namespace"}},
          {"path":"cpu","resourceFieldRef":{"containerName":"c","resource":"limits.cpu"}}]}}]})"),
              "token=token of shop/default for '' 644\nca.crt=1 644\nns=shop 644\ncpu=2 644");
}

class PodDirectoryTest : public testing::Test {
protected:
    PodDirectoryTest() : root_(testing::TempDir() + "kin-pod-directory") { fs::remove_all(root_); }
    ~PodDirectoryTest() override { fs::remove_all(root_); }
    std::string read(const std::string& file) {
        std::ifstream in(root_ + "/memory/pods/u-1/volumes/v/" + file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    const std::string root_;
    const PodDirectory directory_{PodStorage{root_ + "/disk", root_ + "/memory"}, "u-1"};
};

TEST_F(PodDirectoryTest, FilesAreSwitchedTogether) {
    ASSERT_TRUE(directory_.write_files("v", {{"a", "1", 0600}, {"sub/b", "2", 0644}}));
    EXPECT_EQ(read("a"), "1");
    EXPECT_EQ(read("sub/b"), "2");
    EXPECT_TRUE(fs::is_symlink(root_ + "/memory/pods/u-1/volumes/v/a"));
    ASSERT_TRUE(directory_.write_files("v", {{"a", "new", 0600}}));
    EXPECT_EQ(read("a"), "new");
    ASSERT_TRUE(directory_.remove());
    ASSERT_TRUE(directory_.remove());
    EXPECT_FALSE(fs::exists(root_ + "/memory/pods/u-1"));
}

TEST_F(PodDirectoryTest, FilesOutsideOfAVolumeAreNotWritten) {
    for (const char* path : {"/tmp/kin-outside", "../outside", "a/../../outside", ""}) {
        const auto written = directory_.write_files("v", {{"a", "1", 0600}, {path, "2", 0600}});
        ASSERT_FALSE(written) << path;
        EXPECT_EQ(written.error().text(), cat('"', path, "\" is no file's path in a volume"));
    }
    EXPECT_FALSE(fs::exists(root_));  // Nothing of it.
}

TEST(VolumeObjectsTest, NamesThatLeadElsewhereAreRefused) {
    for (const char* name : {"..", "../../Documents", "/etc", ""}) {
        EXPECT_FALSE(persistent_directory("/data", name)) << name;
        PodSpec pod;
        pod.key = {"shop", "web"};
        pod.uid = "u-1";
        EXPECT_TRUE(check_names(pod));
        pod.volumes = {{name, "emptyDir", Json::object()}};
        EXPECT_FALSE(check_names(pod)) << name;
        pod.volumes.clear();
        pod.uid = name;
        EXPECT_FALSE(check_names(pod)) << name;
    }
}

TEST_F(PodDirectoryTest, OfPodsThatAreNoLongerNothingStays) {
    const PodStorage storage{root_ + "/disk", root_ + "/memory"};
    for (const char* uid : {"u-1", "u-2"}) {
        ASSERT_TRUE(PodDirectory(storage, uid).make_empty_dir("v"));
        fs::create_directories(log_directory(storage.data, {"shop", "web"}, uid));
    }
    remove_leftovers(storage, {"u-1"});
    EXPECT_TRUE(fs::exists(root_ + "/disk/pods/u-1/volumes/v"));
    EXPECT_TRUE(fs::exists(root_ + "/disk/logs/shop_web_u-1"));
    EXPECT_FALSE(fs::exists(root_ + "/disk/pods/u-2"));
    EXPECT_FALSE(fs::exists(root_ + "/disk/logs/shop_web_u-2"));
    ASSERT_TRUE(remove_pod_files(storage, {"shop", "web"}, "u-1"));
    EXPECT_TRUE(fs::is_empty(root_ + "/disk/pods") && fs::is_empty(root_ + "/disk/logs"));
    remove_leftovers({root_ + "/none", root_ + "/none"}, {});
}

TEST_F(PodDirectoryTest, LinksInAVolumeDoNotLeadOutOfIt) {
    ASSERT_TRUE(directory_.make_empty_dir("v"));
    fs::create_directory_symlink("/etc", root_ + "/disk/pods/u-1/volumes/v/out");
    // "/etc" is looked up inside the volume, where there is none.
    EXPECT_FALSE(directory_.open_in_volume("v", "out/ssh"));
    fs::create_directory_symlink("/", root_ + "/disk/pods/u-1/volumes/v/self");
    EXPECT_TRUE(directory_.open_in_volume("v", "self/new/dir"));
    EXPECT_TRUE(fs::is_directory(root_ + "/disk/pods/u-1/volumes/v/new/dir"));
    EXPECT_TRUE(directory_.open_in_volume("v", ""));
}

TEST(VolumeObjectsTest, AVolumeShowsTheObjectsItNames) {
    using Kind = ConfigObject::Kind;
    const VolumeSpec config{"v", "configMap", {{"name", "a"}}};
    EXPECT_TRUE(shows(config, {Kind::kConfigMap, "a"}));
    EXPECT_FALSE(shows(config, {Kind::kConfigMap, "b"}));
    EXPECT_FALSE(shows(config, {Kind::kSecret, "a"}));
    const VolumeSpec both{"v",
                          "projected",
                          {{"sources", Json::array({{{"secret", {{"name", "s"}}}},
                                                    {{"downwardAPI", Json::object()}}})}}};
    EXPECT_TRUE(shows(both, {Kind::kSecret, "s"}));
    EXPECT_FALSE(shows(both, {Kind::kConfigMap, "s"}));
    EXPECT_TRUE(shows_metadata(both));
    EXPECT_FALSE(shows_metadata(config));
}

TEST(VolumeObjectsTest, AClaimIsWaitedForUntilItIsBound) {
    const VolumeSpec volume{"v", "persistentVolumeClaim", {{"claimName", "www"}}};
    Json claim{{"spec", {{"volumeName", "pvc-1"}}}, {"status", {{"phase", "Pending"}}}};
    ConfigSource source;
    EXPECT_EQ(bound_volume(volume, "shop", source).error().text(),
              "persistentvolumeclaim \"www\" not found");
    source.claim = [&](const ObjectKey&) { return &claim; };
    EXPECT_EQ(bound_volume(volume, "shop", source).error().code(), Errc::kNotFound);
    claim["status"]["phase"] = "Bound";
    EXPECT_EQ(bound_volume(volume, "shop", source).value(), "pvc-1");
}

TEST(VolumeObjectsTest, ALinkedDirectoryOutlivesThePodsOwn) {
    char folder[] = "/tmp/kin-volumes-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    const std::string kept = *persistent_directory(folder, "pvc-1");
    const PodDirectory pod(PodStorage{folder, folder}, "uid");
    ASSERT_TRUE(pod.link_directory("www", kept));
    ASSERT_TRUE(pod.open_in_volume("www", "").has_value());
    std::ofstream(kept + "/index.html") << "mine";
    ASSERT_TRUE(pod.remove());
    EXPECT_TRUE(fs::exists(kept + "/index.html"));
    fs::remove_all(folder);
}

}  // namespace
}  // namespace kin::netns
