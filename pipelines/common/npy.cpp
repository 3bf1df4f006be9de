// SPDX-License-Identifier: Apache-2.0
// Parsing and writing of .npy: magic, version, a Python dictionary of three keys, the data.
#include "pipelines/common/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/common/files.h"

namespace sluice::pipelines {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPreamble = 8;        // magic and version
constexpr std::size_t kMaxHeader = 1 << 16; // far beyond what eight dimensions need

struct TypeCode {
    graph::DataType type;
    std::string_view code; // as numpy writes it
};
constexpr auto kTypes = std::to_array<TypeCode>({{graph::DataType::Float32, "<f4"},
                                                 {graph::DataType::Float16, "<f2"},
                                                 {graph::DataType::Int32, "<i4"},
                                                 {graph::DataType::Uint32, "<u4"},
                                                 {graph::DataType::Int64, "<i8"},
                                                 {graph::DataType::Uint64, "<u8"},
                                                 {graph::DataType::Int8, "|i1"},
                                                 {graph::DataType::Uint8, "|u1"}});

// The header's dictionary.
struct Header {
    std::optional<graph::DataType> type;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::uint32_t>> shape;
};

// A cursor over the Python literal "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".
class Literal {
public:
    explicit Literal(std::string_view text) : rest_(text) {}

    [[nodiscard]] Result<Header> parse() {
        Header header;
        SLUICE_TRY(expect('{'));
        while (!accept('}')) {
            SLUICE_TRY_ASSIGN(const std::string_view key, quoted());
            SLUICE_TRY(expect(':'));
            SLUICE_TRY(value(key, header));
            if (!accept(',')) {
                SLUICE_TRY(expect('}'));
                break;
            }
        }
        skip_blanks();
        if (!rest_.empty()) {
            return fail(ErrorCode::Parse, "the header goes on after its dictionary");
        }
        return header;
    }

private:
    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
    }

    // What comes next, short enough for a sentence.
    [[nodiscard]] std::string_view excerpt() const {
        return rest_.substr(0, std::min<std::size_t>(16, rest_.find('\n')));
    }

    bool accept(char wanted) {
        skip_blanks();
        if (rest_.empty() || rest_.front() != wanted) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] Status expect(char wanted) {
        return accept(wanted) ? Status{}
                              : fail(ErrorCode::Parse, "the header lacks a '{}' before \"{}\"",
                                     wanted, excerpt());
    }

    [[nodiscard]] Result<std::string_view> quoted() {
        const bool is_single = accept('\'');
        if (!is_single) {
            SLUICE_TRY(expect('"'));
        }
        const std::size_t end = rest_.find(is_single ? '\'' : '"');
        if (end == std::string_view::npos) {
            return fail(ErrorCode::Parse, "a string in the header has no end");
        }
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    [[nodiscard]] Result<bool> boolean() {
        skip_blanks();
        for (const auto& [word, value] : {std::pair{"True", true}, std::pair{"False", false}}) {
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(std::strlen(word));
                return value;
            }
        }
        return fail(ErrorCode::Parse, "fortran_order is neither True nor False");
    }

    [[nodiscard]] Result<std::vector<std::uint32_t>> tuple() {
        std::vector<std::uint32_t> dims;
        SLUICE_TRY(expect('('));
        while (!accept(')')) {
            skip_blanks();
            std::uint32_t dim = 0;
            const auto [end, error] =
                std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
            if (error != std::errc()) {
                return fail(ErrorCode::Parse, "the shape holds \"{}\", which is no dimension",
                            excerpt());
            }
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            dims.push_back(dim);
            if (!accept(',')) {
                SLUICE_TRY(expect(')'));
                break;
            }
        }
        return dims;
    }

    [[nodiscard]] Status value(std::string_view key, Header& header) {
        if (key == "descr") {
            skip_blanks();
            if (rest_.starts_with('[')) {
                return fail(ErrorCode::Unsupported,
                            "records are not supported; save one field of the array");
            }
            SLUICE_TRY_ASSIGN(const std::string_view code, quoted());
            SLUICE_TRY_ASSIGN(header.type, type_of(code));
        } else if (key == "fortran_order") {
            SLUICE_TRY_ASSIGN(header.fortran_order, boolean());
        } else if (key == "shape") {
            SLUICE_TRY_ASSIGN(header.shape, tuple());
        } else {
            return fail(ErrorCode::Parse, "the header has an unknown key '{}'", key);
        }
        return {};
    }

    [[nodiscard]] static Result<graph::DataType> type_of(std::string_view code) {
        if (code.starts_with('>')) {
            return fail(ErrorCode::Unsupported,
                        "type '{}' is big endian; convert with array.astype('<{}')", code,
                        code.substr(1));
        }
        for (const TypeCode& row : kTypes) {
            // numpy writes '|u1'; others write '<u1' for a type of one byte.
            if (row.code == code ||
                (row.code.front() == '|' && code == "<" + std::string(row.code.substr(1)))) {
                return row.type;
            }
        }
        return fail(ErrorCode::Unsupported,
                    "type '{}' is no tensor type; convert with array.astype('float32')", code);
    }

    std::string_view rest_;
};

std::uint32_t little_endian(std::span<const std::byte> bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
    }
    return value;
}

// Splits the file into the text of the header and the data.
struct Parts {
    std::string_view header;
    std::span<const std::byte> data;
};
Result<Parts> split(std::span<const std::byte> bytes) {
    if (bytes.size() < kPreamble) {
        return fail(ErrorCode::Parse, "{} bytes are too few for a .npy file", bytes.size());
    }
    if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
        return fail(ErrorCode::Parse, "the magic number of .npy files is missing");
    }
    const auto version = std::to_integer<unsigned>(bytes[6]);
    if (version < 1 || version > 3) {
        return fail(ErrorCode::Unsupported, "version {} of the format is unknown", version);
    }
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    if (bytes.size() < kPreamble + length_bytes) {
        return fail(ErrorCode::Parse, "the file ends within its header");
    }
    const std::uint32_t length = little_endian(bytes.subspan(kPreamble, length_bytes));
    const std::size_t start = kPreamble + length_bytes;
    if (length > kMaxHeader || length > bytes.size() - start) {
        return fail(ErrorCode::Parse, "the file ends within its header of {} bytes", length);
    }
    const auto text = bytes.subspan(start, length);
    return Parts{.header = {reinterpret_cast<const char*>(text.data()), text.size()},
                 .data = bytes.subspan(start + length)};
}

} // namespace

Result<NpyArray> parse_npy(std::span<const std::byte> bytes) {
    SLUICE_TRY_ASSIGN(const Parts parts, split(bytes));
    SLUICE_TRY_ASSIGN(const Header header, Literal(parts.header).parse());
    if (!header.type || !header.fortran_order || !header.shape) {
        return fail(ErrorCode::Parse, "the header lacks one of descr, fortran_order and shape");
    }
    if (*header.fortran_order && header.shape->size() > 1) {
        return fail(ErrorCode::Unsupported,
                    "the array is column-major; convert with numpy.ascontiguousarray(array)");
    }
    SLUICE_TRY_ASSIGN(const graph::TensorDesc desc,
                      graph::TensorDesc::create(*header.type, *header.shape));
    if (parts.data.size() != desc.byte_size()) {
        return fail(ErrorCode::Parse, "{} needs {} bytes of data, the file has {}",
                    graph::to_string(desc), desc.byte_size(), parts.data.size());
    }
    return NpyArray{.desc = desc, .bytes = {parts.data.begin(), parts.data.end()}};
}

Result<NpyArray> read_npy(const std::filesystem::path& path) {
    SLUICE_TRY_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
    auto array = parse_npy(bytes);
    if (!array) {
        return std::unexpected(std::move(array).error().within("'" + path.string() + "'"));
    }
    return array;
}

std::vector<std::byte> encode_npy(const graph::TensorDesc& desc, std::span<const std::byte> bytes) {
    const auto row = std::ranges::find(kTypes, desc.type(), &TypeCode::type);
    std::string header =
        "{'descr': '" + std::string(row->code) + "', 'fortran_order': False, 'shape': (";
    for (std::size_t i = 0; i < desc.rank(); ++i) {
        header += std::to_string(desc.shape()[i]) + (i + 1 == desc.rank() && i > 0 ? "" : ",");
        header += i + 1 == desc.rank() ? "" : " ";
    }
    header += "), }";
    // The format wants the data aligned to 64 bytes and a line feed before it.
    const std::size_t start = kPreamble + 2;
    header.append(63 - (start + header.size()) % 64, ' ');
    header += '\n';
    std::string text(kMagic);
    text += {'\x01', '\x00', static_cast<char>(header.size() & 0xFFU),
             static_cast<char>(header.size() >> 8U)};
    text += header;
    const auto head = std::as_bytes(std::span(text));
    std::vector<std::byte> out(head.begin(), head.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

Status write_npy(const std::filesystem::path& path, const graph::TensorDesc& desc,
                 std::span<const std::byte> bytes) {
    return write_file(path, encode_npy(desc, bytes));
}

} // namespace sluice::pipelines
