// SPDX-License-Identifier: Apache-2.0
// Files as bytes, the choice of a loader, and the cleaning of texts.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "models/loaders/loader.h"
#include "models/loaders/text.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;

class LoadersFiles : public testing::Test {
protected:
    LoadersFiles() {
        std::string name = (fs::temp_directory_path() / "sluice-loaders-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~LoadersFiles() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    fs::path write(const std::string& name, std::string_view text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }

    fs::path folder_;
};

TEST_F(LoadersFiles, maps_what_lies_in_a_file) {
    const auto file = map_file(write("a", "bytes"));
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->bytes.size(), 5);
    EXPECT_EQ(static_cast<char>(file->bytes[4]), 's');
}

TEST_F(LoadersFiles, stays_mapped_when_the_file_is_deleted) {
    const fs::path path = write("a", "bytes");
    const auto file = map_file(path);
    ASSERT_TRUE(file);
    fs::remove(path);
    EXPECT_EQ(static_cast<char>(file->bytes[0]), 'b');
}

TEST_F(LoadersFiles, says_why_a_file_cannot_be_mapped) {
    const auto error = [](const fs::path& path) {
        const auto file = map_file(path);
        EXPECT_FALSE(file) << path;
        return file ? Error{} : file.error();
    };
    const Error missing = error(folder_ / "missing");
    EXPECT_EQ(missing.code, ErrorCode::NotFound);
    EXPECT_NE(missing.message.find("missing: No such file"), std::string::npos) << missing.message;
    EXPECT_EQ(error(folder_).code, ErrorCode::Io);
    EXPECT_NE(error(folder_).message.find("is a directory"), std::string::npos);
    EXPECT_NE(error(write("empty", "")).message.find("empty is empty"), std::string::npos);
    ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
    EXPECT_NE(error(folder_ / "fifo").message.find("no regular file"), std::string::npos);
    if (::geteuid() != 0) { // root may read everything
        const fs::path secret = write("secret", "x");
        fs::permissions(secret, fs::perms::none);
        EXPECT_EQ(error(secret).code, ErrorCode::Io);
        EXPECT_NE(error(secret).message.find("Permission denied"), std::string::npos);
    }
}

TEST_F(LoadersFiles, tells_formats_by_content) {
    for (const std::string_view text :
         {std::string_view("x"), std::string_view("\x08\x00\x00\x00TFL2aaaaaaaa", 16),
          std::string_view("{\"layers\": {}}"), std::string_view("    "),
          std::string_view("[\"conv2d_tf\"]")}) {
        const auto model = load_model(write("some.tflite", text));
        ASSERT_FALSE(model);
        EXPECT_EQ(model.error().code, ErrorCode::Unsupported);
        EXPECT_EQ(
            model.error().message,
            "some.tflite is in no format that can be loaded (tflite, webnn, anime4k, tfjs, onnx)");
    }
    const auto model = load_model(write("renamed.bin", "\x08\x01\x01\x01TFL3aaaaaaaa"));
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::Parse);
    EXPECT_TRUE(model.error().message.starts_with("loading renamed.bin: malformed TFLite file"))
        << model.error().message;
}

TEST(LoadersText, keeps_printable_utf8_only) {
    EXPECT_EQ(clean_text("conv/kernel"), "conv/kernel");
    EXPECT_EQ(clean_text("a\nb\x7F"), "a?b?");
    EXPECT_EQ(clean_text("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
              "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80");
    // Stray, overlong, surrogate, too large, cut off.
    EXPECT_EQ(clean_text("\x80"), "?");
    EXPECT_EQ(clean_text("\xC0\xAF"), "??");
    EXPECT_EQ(clean_text("\xED\xA0\x80"), "???");
    EXPECT_EQ(clean_text("\xF4\x90\x80\x80"), "????");
    EXPECT_EQ(clean_text("x\xE2\x82"), "x??");
    // Cut between characters.
    EXPECT_EQ(clean_text("ab\xC3\xBC", 3), "ab");
    EXPECT_EQ(clean_text(std::string(1000, 'a')).size(), kMaxNameBytes);
}

} // namespace
} // namespace sluice::models
