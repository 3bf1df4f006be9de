// SPDX-License-Identifier: Apache-2.0
// The zoo's manifests, and the way from a name to a verified file.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "models/loaders/file_hash.h"
#include "models/store/store.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;

// Sets an environment variable for a scope.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* old = std::getenv(name); old != nullptr) {
            old_ = old;
        }
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() {
        if (old_) {
            ::setenv(name_, old_->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> old_;
};

class Store : public ::testing::Test {
protected:
    Store() {
        std::string name = (fs::temp_directory_path() / "sluice-store-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        path_.emplace("SLUICE_MODEL_PATH", folder_.string());
        cache_.emplace("XDG_CACHE_HOME", (folder_ / "cache").string());
    }
    ~Store() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    fs::path write(const fs::path& path, std::string_view text) {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    fs::path folder_;
    std::optional<Variable> path_;
    std::optional<Variable> cache_;
};

TEST(Sha256, equals_the_standards_examples) {
    const auto hash = [](std::string_view text) {
        return sha256(std::as_bytes(std::span(text))).value();
    };
    // FIPS 180-2, appendix B.1, and the empty message.
    EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Zoo, is_complete_and_sorted) {
    ASSERT_FALSE(zoo().empty());
    std::set<std::string> files;
    for (const Manifest& manifest : zoo()) {
        SCOPED_TRACE(manifest.name);
        EXPECT_EQ(find_manifest(manifest.name), &manifest);
        EXPECT_FALSE(manifest.title.empty());
        EXPECT_FALSE(manifest.licence.empty());
        EXPECT_TRUE(manifest.source.starts_with("npm ")) << manifest.source;
        EXPECT_EQ(manifest.sha256.size(), 64);
        EXPECT_LT(manifest.low, manifest.high);
        EXPECT_TRUE(files.insert(manifest.file).second) << "the file is shared";
        if (manifest.task == "face-detection") {
            EXPECT_FALSE(manifest.anchors.empty());
        }
        if (manifest.task == "segmentation") {
            EXPECT_FALSE(manifest.activation.empty());
        }
    }
    EXPECT_TRUE(std::ranges::is_sorted(zoo(), {}, &Manifest::name));
}

TEST(Zoo, knows_second_names) {
    const Manifest* manifest = find_manifest("anime4k-x2-s");
    ASSERT_NE(manifest, nullptr);
    EXPECT_EQ(manifest->name, "anime4k-x2-s-rl");
    EXPECT_EQ(find_manifest("no-such-model"), nullptr);
}

TEST_F(Store, searches_the_listed_folders_then_the_cache) {
    const Variable listed("SLUICE_MODEL_PATH", "/one::/two");
    const Variable cache("XDG_CACHE_HOME", "/cache");
    EXPECT_EQ(search_path(), (std::vector<fs::path>{"/one", "/two", "/cache/sluice/models"}));
    const Variable relative("XDG_CACHE_HOME", "not/absolute");
    const Variable home("HOME", "/home/someone");
    EXPECT_EQ(search_path().back(), "/home/someone/.cache/sluice/models");
}

TEST_F(Store, takes_a_path_for_itself) {
    const fs::path path = write(folder_ / "other.bin", "content");
    const auto resolved = resolve(path.string());
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_EQ(resolved->path, path);
    EXPECT_EQ(resolved->manifest, nullptr);
}

TEST_F(Store, gives_no_manifest_to_a_file_that_only_has_the_name) {
    const Manifest& manifest = zoo().front();
    const auto resolved = resolve(write(folder_ / manifest.file, "not the weights").string());
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_EQ(resolved->manifest, nullptr);
}

TEST_F(Store, refuses_a_zoo_file_with_other_content) {
    const Manifest& manifest = zoo().front();
    write(folder_ / manifest.file, "abc");
    const auto resolved = resolve(manifest.name);
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code, ErrorCode::Parse);
    EXPECT_NE(resolved.error().message.find(
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
              std::string::npos)
        << resolved.error().message;
    EXPECT_NE(resolved.error().message.find(manifest.sha256), std::string::npos);
}

TEST_F(Store, says_where_it_looked_and_how_to_fetch) {
    const auto resolved = resolve("face-detection-short-range");
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code, ErrorCode::NotFound);
    const std::string& message = resolved.error().message;
    EXPECT_NE(message.find(folder_.string()), std::string::npos) << message;
    EXPECT_NE(message.find((folder_ / "cache/sluice/models").string()), std::string::npos)
        << message;
    EXPECT_NE(message.find("./dev"), std::string::npos) << message;
}

TEST_F(Store, suggests_names_that_are_near) {
    const auto message = [](std::string_view name) {
        const auto resolved = resolve(name);
        EXPECT_FALSE(resolved);
        EXPECT_EQ(resolved.error().code, ErrorCode::NotFound);
        return resolved ? std::string() : resolved.error().message;
    };
    EXPECT_NE(message("selfie-segmentaion").find("did you mean selfie-segmentation"),
              std::string::npos)
        << message("selfie-segmentaion");
    EXPECT_NE(message("face-detection-short").find("face-detection-short-range"),
              std::string::npos);
    // Nothing near: the whole list.
    EXPECT_NE(message("xyzzy-something-else-entirely").find(zoo().back().name), std::string::npos);
    const auto empty = resolve("");
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, ErrorCode::InvalidArgument);
}

} // namespace
} // namespace sluice::models
