// SPDX-License-Identifier: Apache-2.0
// .npy files: what numpy writes is read, what is broken is refused, what we write numpy reads.
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "pipelines/common/files.h"
#include "pipelines/common/npy.h"

namespace sluice::pipelines {
namespace {

using graph::DataType;

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

// A file of this version with this header, as the format's specification lays it out.
std::vector<std::byte> file(int version, std::string header, std::string_view data) {
    header += '\n';
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    const auto length = header.size();
    text += static_cast<char>(length & 0xFFU);
    text += static_cast<char>(length >> 8U);
    if (version > 1) {
        text += std::string(2, '\0');
    }
    return bytes_of(text + header + std::string(data));
}

constexpr std::string_view kTwoFloats("\x00\x00\x80\x3F\x00\x00\x00\x40", 8); // 1.0, 2.0

TEST(Npy, reads_what_numpy_writes) {
    // numpy.save of numpy.array([[1, 2]], numpy.float32), numpy 2.2.
    const std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }" + std::string(58, ' ');
    const auto array = parse_npy(file(1, header, kTwoFloats));
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_EQ(graph::to_string(array->desc), "float32[1,2]");
    std::array<float, 2> values{};
    std::memcpy(values.data(), array->bytes.data(), 8);
    EXPECT_EQ(values, (std::array{1.0F, 2.0F}));
}

TEST(Npy, reads_all_versions_and_spellings) {
    for (const int version : {1, 2, 3}) {
        for (const std::string header :
             {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
              "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}",
              "{ 'shape' : ( 2 , ) , 'descr' : '<f4' , 'fortran_order' : True }"}) {
            const auto array = parse_npy(file(version, header, kTwoFloats));
            ASSERT_TRUE(array) << version << header << array.error().message;
            EXPECT_EQ(graph::to_string(array->desc), "float32[2]");
        }
    }
}

TEST(Npy, reads_every_tensor_type_and_scalars) {
    struct Row {
        std::string_view code;
        DataType type;
        std::size_t bytes;
    };
    for (const Row& row : std::to_array<Row>({{"<f4", DataType::Float32, 4},
                                              {"<f2", DataType::Float16, 2},
                                              {"<i4", DataType::Int32, 4},
                                              {"<u4", DataType::Uint32, 4},
                                              {"<i8", DataType::Int64, 8},
                                              {"<u8", DataType::Uint64, 8},
                                              {"|i1", DataType::Int8, 1},
                                              {"|u1", DataType::Uint8, 1},
                                              {"<u1", DataType::Uint8, 1}})) {
        const std::string header =
            "{'descr': '" + std::string(row.code) + "', 'fortran_order': False, 'shape': (), }";
        const auto array = parse_npy(file(1, header, std::string(row.bytes, '\x01')));
        ASSERT_TRUE(array) << row.code << array.error().message;
        EXPECT_EQ(array->desc.type(), row.type);
        EXPECT_EQ(array->desc.rank(), 0U);
    }
}

TEST(Npy, refuses_what_it_cannot_hold_with_the_remedy) {
    struct Row {
        std::string_view header;
        ErrorCode code;
        std::string_view sentence;
    };
    const auto rows = std::to_array<Row>({
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", ErrorCode::Unsupported,
         "type '>f4' is big endian; convert with array.astype('<f4')"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", ErrorCode::Unsupported,
         "type '<f8' is no tensor type; convert with array.astype('float32')"},
        {"{'descr': '|b1', 'fortran_order': False, 'shape': (8,), }", ErrorCode::Unsupported,
         "type '|b1' is no tensor type; convert with array.astype('float32')"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
         ErrorCode::Unsupported, "records are not supported; save one field of the array"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", ErrorCode::Unsupported,
         "the array is column-major; convert with numpy.ascontiguousarray(array)"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", ErrorCode::Parse,
         "float32[3] needs 12 bytes of data, the file has 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", ErrorCode::Parse,
         "float32[1] needs 4 bytes of data, the file has 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", ErrorCode::InvalidArgument,
         "dimension 0 of [0] is 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", ErrorCode::Parse,
         "the shape holds \"-2,), }\", which is no dimension"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", ErrorCode::Parse,
         "the shape holds \"99999999999,), }\", which is no dimension"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536, 65536, 65536), }",
         ErrorCode::InvalidArgument,
         "float32[65536,65536,65536,65536] is above the limit of 2147483647 bytes"},
        {"{'descr': '<f4', 'shape': (2,), }", ErrorCode::Parse,
         "the header lacks one of descr, fortran_order and shape"},
        {"{'descr': '<f4', 'fortran_order': maybe, 'shape': (2,), }", ErrorCode::Parse,
         "fortran_order is neither True nor False"},
        {"{'descr': '<f4', 'order': 'C', }", ErrorCode::Parse,
         "the header has an unknown key 'order'"},
        {"{'descr': '<f4", ErrorCode::Parse, "a string in the header has no end"},
        {"[1, 2]", ErrorCode::Parse, "the header lacks a '{' before \"[1, 2]\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } {}", ErrorCode::Parse,
         "the header goes on after its dictionary"},
    });
    for (const Row& row : rows) {
        const auto array = parse_npy(file(1, std::string(row.header), kTwoFloats));
        ASSERT_FALSE(array) << row.header;
        EXPECT_EQ(array.error().code, row.code) << row.header;
        EXPECT_EQ(array.error().message, row.sentence);
    }
}

TEST(Npy, refuses_other_files_and_versions) {
    EXPECT_FALSE(parse_npy(bytes_of("PK\x03\x04 this is an .npz file")));
    const auto future =
        parse_npy(file(4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", kTwoFloats));
    ASSERT_FALSE(future);
    EXPECT_EQ(future.error().message, "version 4 of the format is unknown");
}

TEST(Npy, refuses_truncation_at_every_byte) {
    for (const int version : {1, 2, 3}) {
        const auto whole =
            file(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", kTwoFloats);
        ASSERT_TRUE(parse_npy(whole));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            // A copy of its own, so that the sanitizer sees a read past the end.
            const std::vector<std::byte> part(whole.begin(),
                                              whole.begin() + static_cast<std::ptrdiff_t>(length));
            const auto array = parse_npy(part);
            ASSERT_FALSE(array) << length << " bytes of version " << version;
            EXPECT_EQ(array.error().code, ErrorCode::Parse) << length;
        }
    }
}

TEST(Npy, survives_every_single_byte_changed) {
    const auto whole =
        file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", kTwoFloats);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const unsigned value : {0U, 1U, 0x27U, 0x7FU, 0x80U, 0xFFU}) {
            auto changed = whole;
            changed[i] = static_cast<std::byte>(value);
            const auto array = parse_npy(changed);
            if (array) { // a change of the data, or to an equal meaning
                EXPECT_EQ(array->bytes.size(), array->desc.byte_size());
            } else {
                EXPECT_FALSE(array.error().message.empty());
            }
        }
    }
}

TEST(Npy, writes_the_bytes_that_numpy_would) {
    const auto desc = *graph::TensorDesc::create(DataType::Float32, graph::Shape{1, 2});
    const auto encoded = encode_npy(desc, bytes_of(kTwoFloats));
    // 10 bytes, the dictionary of 59, blanks up to 127, a line feed: 128.
    const std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }" + std::string(58, ' ');
    EXPECT_EQ(encoded, file(1, header, kTwoFloats));
}

TEST(Npy, headers_are_aligned_and_come_back_for_every_rank) {
    graph::Shape shape;
    for (std::size_t rank = 0; rank <= graph::kMaxRank; ++rank) {
        const auto desc = *graph::TensorDesc::create(DataType::Uint8, shape);
        const std::vector<std::byte> data(desc.byte_size(), std::byte{7});
        const auto encoded = encode_npy(desc, data);
        EXPECT_EQ((encoded.size() - data.size()) % 64, 0U) << rank;
        const auto back = parse_npy(encoded);
        ASSERT_TRUE(back) << rank << back.error().message;
        EXPECT_EQ(back->desc, desc);
        EXPECT_EQ(back->bytes, data);
        if (rank < graph::kMaxRank) {
            shape.push_back(static_cast<std::uint32_t>(rank % 3 + 1));
        }
    }
}

TEST(Npy, files_name_themselves_in_errors) {
    const auto missing = read_npy("/nonexistent/x.npy");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_EQ(missing.error().message,
              "cannot open '/nonexistent/x.npy': No such file or directory");

    const std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) / "sluice_npy_test.npy";
    ASSERT_TRUE(write_file(path, bytes_of("short")));
    const auto broken = read_npy(path);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().message,
              "'" + path.string() + "': 5 bytes are too few for a .npy file");
    const auto desc = *graph::TensorDesc::create(DataType::Float32, graph::Shape{2});
    ASSERT_TRUE(write_npy(path, desc, bytes_of(kTwoFloats)));
    const auto back = read_npy(path);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->desc, desc);
    std::filesystem::remove(path);
    EXPECT_FALSE(write_npy("/nonexistent/x.npy", desc, bytes_of(kTwoFloats)));
}

} // namespace
} // namespace sluice::pipelines
