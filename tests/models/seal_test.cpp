// SPDX-License-Identifier: Apache-2.0
// Sealed models: what was sealed comes out, and nothing else: not with another key, not from a file
// that was cut off or altered, be it by one bit.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <linux/keyctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/confidential.h"
#include "core/engine.h"
#include "core/graph/builder.h"
#include "core/graph/print.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "models/store/model_key.h"
#include "models/store/seal.h"
#include "models/store/store.h"
#include "tests/support/must.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;
using testing::must;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}
std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> seal_text(std::string_view text, const ModelKey& key) {
    const NamedBytes file{.name = "m.bin", .bytes = bytes_of(text)};
    return must(seal(std::span(&file, 1), key));
}

// Big enough for several pieces of 64 KiB; no two of which are alike.
std::string long_text() {
    std::string text(200'000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<char>((i * 2654435761U) >> 13U);
    }
    return text;
}

TEST(Seal, gives_back_the_files) {
    const ModelKey key = must(ModelKey::generate());
    const std::string model = long_text();
    const std::array<NamedBytes, 3> files{
        {{"m.onnx", bytes_of(model)}, {"weights/w.bin", bytes_of("beside")}, {"empty", {}}}};
    const auto sealed = must(seal(files, key));
    ASSERT_TRUE(is_sealed(sealed));
    const UnsealedModel out = must(unseal(sealed, key));
    EXPECT_EQ(out.name, "m.onnx");
    EXPECT_EQ(text_of(out.model.bytes), model);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(out.model.bytes.data()) % 64, 0);
    ASSERT_EQ(out.files.size(), 2);
    EXPECT_EQ(text_of(out.files.at("weights/w.bin").bytes), "beside");
    EXPECT_TRUE(out.files.at("empty").bytes.empty());
}

TEST(Seal, hides_the_content) {
    const ModelKey key = must(ModelKey::generate());
    const auto sealed = seal_text("a very secret model", key);
    EXPECT_FALSE(text_of(sealed).contains("secret"));
    EXPECT_FALSE(text_of(sealed).contains("m.bin")) << "names are content";
    EXPECT_NE(sealed, seal_text("a very secret model", key)) << "the same twice looks the same";
}

TEST(Seal, says_that_the_key_is_another_one) {
    const auto sealed = seal_text("model", must(ModelKey::generate()));
    const auto out = unseal(sealed, must(ModelKey::generate()));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, ErrorCode::InvalidArgument);
    EXPECT_TRUE(out.error().message.contains("sealed with the key")) << out.error().message;
}

TEST(Seal, refuses_truncation_at_every_byte) {
    const ModelKey key = must(ModelKey::generate());
    const auto sealed = seal_text("a small model", key);
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        const auto out = unseal(std::span(sealed).first(size), key);
        ASSERT_FALSE(out) << size;
        EXPECT_EQ(out.error().code, ErrorCode::Parse) << out.error().message;
    }
    auto longer = sealed;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(unseal(longer, key));
}

TEST(Seal, refuses_every_bit_that_is_not_as_it_was) {
    const ModelKey key = must(ModelKey::generate());
    auto sealed = seal_text("a small model", key);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            sealed[i] ^= std::byte{1} << bit;
            const auto out = unseal(sealed, key);
            ASSERT_FALSE(out) << "bit " << bit << " of byte " << i;
            EXPECT_FALSE(out.error().message.empty());
            EXPECT_NE(out.error().code, ErrorCode::Internal);
            sealed[i] ^= std::byte{1} << bit;
        }
    }
    EXPECT_TRUE(unseal(sealed, key));
}

TEST(Seal, refuses_pieces_in_another_order_or_of_another_file) {
    const ModelKey key = must(ModelKey::generate());
    const auto sealed = seal_text(long_text(), key);
    constexpr std::size_t kHeader = 48;
    constexpr std::size_t kPiece = 65536 + 17;
    const auto piece = [](std::vector<std::byte>& file, std::size_t i) {
        return std::span(file).subspan(kHeader + i * kPiece, kPiece);
    };
    auto swapped = sealed;
    std::ranges::swap_ranges(piece(swapped, 0), piece(swapped, 1));
    EXPECT_FALSE(unseal(swapped, key));
    auto other = seal_text(long_text(), key);
    auto mixed = sealed;
    std::ranges::copy(piece(other, 1), piece(mixed, 1).begin());
    EXPECT_FALSE(unseal(mixed, key));
    // Whole pieces left out, and the size in the header made to fit.
    std::vector<std::byte> cut(sealed.begin(), sealed.begin() + kHeader + 2 * kPiece);
    const std::uint64_t size = 2 * 65536;
    std::memcpy(cut.data() + 16, &size, sizeof(size));
    EXPECT_FALSE(unseal(cut, key));
}

TEST(Seal, survives_any_bytes) {
    const ModelKey key = must(ModelKey::generate());
    EXPECT_FALSE(is_sealed({}));
    for (const std::string& text :
         {std::string(), std::string("SLUSEAL"), std::string("SLUSEAL\1"),
          "SLUSEAL\1" + std::string(200, '\xFF'), "SLUSEAL\2" + std::string(200, '\0')}) {
        EXPECT_FALSE(unseal(bytes_of(text), key)) << text.size();
    }
}

TEST(ModelKeys, are_written_and_read) {
    const ModelKey key = must(ModelKey::generate());
    const std::string text = key.to_text();
    ASSERT_EQ(text.size(), 65);
    const ModelKey same = must(ModelKey::parse(bytes_of("  " + text)));
    EXPECT_EQ(same.id(), key.id());
    EXPECT_EQ(std::memcmp(same.data(), key.data(), kModelKeyBytes), 0);
    const std::string raw(reinterpret_cast<const char*>(key.data()), kModelKeyBytes);
    EXPECT_EQ(must(ModelKey::parse(bytes_of(raw))).id(), key.id());
    EXPECT_NE(must(ModelKey::generate()).id(), key.id());
}

TEST(ModelKeys, are_not_repeated_in_messages) {
    std::string text = must(ModelKey::generate()).to_text();
    text[5] = 'x';
    const auto key = ModelKey::parse(bytes_of(text));
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, ErrorCode::Parse);
    EXPECT_FALSE(key.error().message.contains(text.substr(6, 20))) << key.error().message;
    // The key where its place should be.
    const std::string digits = must(ModelKey::generate()).to_text().substr(0, 64);
    const auto given = read_model_key(digits);
    ASSERT_FALSE(given);
    EXPECT_FALSE(given.error().message.contains(digits.substr(0, 16))) << given.error().message;
}

class SealedFiles : public ::testing::Test {
protected:
    SealedFiles() {
        std::string name = (fs::temp_directory_path() / "sluice-seal-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        ::unsetenv("SLUICE_MODEL_KEY");
        const std::string text = key_.to_text();
        key_file_ = write("key", bytes_of(text));
        ::chmod(key_file_.c_str(), 0600);
    }
    ~SealedFiles() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        ::unsetenv("SLUICE_MODEL_KEY");
        ::unsetenv("SLUICE_TEST_SECRET");
    }

    fs::path write(const std::string& name, std::span<const std::byte> bytes) {
        std::ofstream(folder_ / name, std::ios::binary) << text_of(bytes);
        return folder_ / name;
    }

    // y = x + c, as WebNN JSON with its file of weights.
    fs::path write_model() {
        graph::GraphBuilder builder;
        const auto desc =
            must(graph::TensorDesc::create(graph::DataType::Float32, graph::Shape{1, 4}));
        const std::array<float, 4> values{1.5F, 2.5F, 3.5F, 4.5F};
        const auto x = must(builder.input("x", desc));
        const auto c = must(
            builder.constant(desc, graph::ConstantData::copy(std::span<const float>(values)), "c"));
        const auto y = must(builder.add(x, c, "sum"));
        const auto saved = must(webnn::save(must(builder.build({{"y", y}})), {}, "m.weights"));
        write("m.weights", saved.weights);
        return write("m.json", bytes_of(saved.description));
    }

    fs::path folder_;
    ModelKey key_ = must(ModelKey::generate());
    fs::path key_file_;
};

TEST_F(SealedFiles, open_with_their_key_and_their_weights) {
    const fs::path plain = write_model();
    write("m.json.modelinfo", bytes_of("[modelinfo]\nversion=1.0\n[x]\ndir=input\nranges=-1,1\n"));
    const LoadedModel expected = must(open_file(plain));
    const fs::path sealed = write("m.sealed", must(seal_model(plain, key_)));
    for (const char* file : {"m.json", "m.weights", "m.json.modelinfo"}) {
        fs::remove(folder_ / file);
    }
    const StoredModel opened = must(open_model(sealed.string(), {.key = key_file_.string()}));
    EXPECT_EQ(graph::to_text(opened.model.graph), graph::to_text(expected.graph));
    EXPECT_EQ(text_of(opened.model.graph.operands()[1].data.bytes),
              text_of(expected.graph.operands()[1].data.bytes));
    ASSERT_TRUE(opened.model.info.normalization);
    EXPECT_EQ(opened.model.info.normalization->mean, 127.5F);
    // Opening leaves nothing on disk.
    std::set<std::string> left;
    for (const auto& entry : fs::directory_iterator(folder_)) {
        left.insert(entry.path().filename().string());
    }
    EXPECT_EQ(left, (std::set<std::string>{"key", "m.sealed"}));
}

TEST_F(SealedFiles, are_marked_as_what_must_not_reach_a_disk) {
    const fs::path plain = write_model();
    const LoadedModel open = must(open_file(plain));
    const fs::path sealed = write("m.sealed", must(seal_model(plain, key_)));
    const LoadedModel secret = must(open_file(sealed, {.key = key_file_.string()}));
    for (const graph::Operand& operand : open.graph.operands()) {
        EXPECT_FALSE(is_confidential(operand.data.owner)) << operand.name;
    }
    std::size_t constants = 0;
    for (const graph::Operand& operand : secret.graph.operands()) {
        const bool is_constant = operand.kind == graph::OperandKind::Constant;
        EXPECT_EQ(is_confidential(operand.data.owner), is_constant) << operand.name;
        constants += is_constant ? 1 : 0;
    }
    EXPECT_EQ(constants, 1U);
}

TEST_F(SealedFiles, leave_no_packed_weights_behind) {
    graph::GraphBuilder builder;
    const auto desc = must(graph::TensorDesc::create(graph::DataType::Float32, {512, 600}));
    const std::vector<float> values(512 * 600, 0.5F); // 1.2 MiB: worth keeping
    const auto x = must(
        builder.input("x", must(graph::TensorDesc::create(graph::DataType::Float32, {1, 512}))));
    const auto c = must(
        builder.constant(desc, graph::ConstantData::copy(std::span<const float>(values)), "c"));
    const auto y = must(builder.matmul(x, c));
    const auto saved = must(webnn::save(must(builder.build({{"y", y}})), {}, "m.weights"));
    write("m.weights", saved.weights);
    const fs::path plain = write("m.json", bytes_of(saved.description));
    const fs::path sealed = write("m.sealed", must(seal_model(plain, key_)));

    const fs::path cache = folder_ / "cache";
    ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
    ::unsetenv("SLUICE_PACKED_CACHE");
    LoadedModel secret = must(open_file(sealed, {.key = key_file_.string()}));
    ASSERT_TRUE(compile(std::move(secret.graph), {.device = DeviceKind::Cpu}));
    EXPECT_FALSE(fs::exists(cache));
    // The same model, not sealed: what would have been left behind.
    LoadedModel open = must(open_file(plain));
    ASSERT_TRUE(compile(std::move(open.graph), {.device = DeviceKind::Cpu}));
    EXPECT_TRUE(fs::exists(cache / "sluice" / "packed"));
    ::unsetenv("XDG_CACHE_HOME");
}

TEST_F(SealedFiles, take_the_key_from_where_it_is_said_to_be) {
    const fs::path sealed = write("m.sealed", must(seal_model(write_model(), key_)));
    const auto opens = [&](const std::string& source) {
        return open_model(sealed.string(), {.key = source});
    };
    EXPECT_TRUE(opens("file:" + key_file_.string()));
    ::setenv("SLUICE_TEST_SECRET", key_.to_text().c_str(), 1);
    EXPECT_TRUE(opens("env:SLUICE_TEST_SECRET"));
    ::setenv("SLUICE_MODEL_KEY", "env:SLUICE_TEST_SECRET", 1);
    EXPECT_TRUE(opens(""));
    ::unsetenv("SLUICE_MODEL_KEY");

    const auto says = [&](const std::string& source, ErrorCode code, std::string_view what) {
        const auto opened = opens(source);
        ASSERT_FALSE(opened) << source;
        EXPECT_EQ(opened.error().code, code) << opened.error().message;
        EXPECT_TRUE(opened.error().message.contains(what)) << opened.error().message;
    };
    says("", ErrorCode::InvalidArgument, "no key is given");
    says("env:SLUICE_NO_SUCH", ErrorCode::NotFound, "SLUICE_NO_SUCH is not set");
    says((folder_ / "missing").string(), ErrorCode::NotFound, "missing");
    says(sealed.string(), ErrorCode::Parse, "64 hexadecimal digits");
    ::setenv("SLUICE_TEST_SECRET", must(ModelKey::generate()).to_text().c_str(), 1);
    says("env:SLUICE_TEST_SECRET", ErrorCode::InvalidArgument, "opening m.sealed: it is sealed");
}

TEST_F(SealedFiles, take_the_key_from_the_kernels_keyring) {
    const std::string name = "sluice-test-" + std::to_string(::getpid());
    const std::string text = key_.to_text();
    const long id = ::syscall(SYS_add_key, "user", name.c_str(), text.data(), text.size(),
                              KEY_SPEC_PROCESS_KEYRING);
    if (id < 0) {
        GTEST_SKIP() << "no key can be added to the process's keyring: " << std::strerror(errno);
    }
    const fs::path sealed = write("m.sealed", must(seal_model(write_model(), key_)));
    const auto opened = open_model(sealed.string(), {.key = "keyring:" + name});
    EXPECT_TRUE(opened) << opened.error().message;
    const auto missing = open_model(sealed.string(), {.key = "keyring:" + name + "-not"});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound) << missing.error().message;
    ::syscall(SYS_keyctl, KEYCTL_INVALIDATE, id);
}

TEST_F(SealedFiles, are_not_sealed_twice_nor_without_their_weights) {
    const fs::path plain = write_model();
    const fs::path sealed = write("m.sealed", must(seal_model(plain, key_)));
    EXPECT_FALSE(seal_model(sealed, key_));
    fs::remove(folder_ / "m.weights");
    const auto alone = seal_model(plain, key_);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code, ErrorCode::NotFound);
    EXPECT_TRUE(alone.error().message.contains("m.weights")) << alone.error().message;
}

} // namespace
} // namespace sluice::models
