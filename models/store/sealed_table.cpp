// SPDX-License-Identifier: Apache-2.0
// Writing of the table, and reading it with nothing believed.
#include "models/store/sealed_table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/checked_math.h"
#include "models/loaders/text.h"

namespace sluice::models {
namespace {

// Reads what put() wrote, and never past the end.
class TableReader {
public:
    explicit TableReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename T>
    std::optional<T> number() {
        if (bytes_.size() - at_ < sizeof(T)) {
            return std::nullopt;
        }
        const T value = number_at<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }
    std::optional<std::string> text(std::size_t size) {
        if (size > kMaxSealedNameBytes || bytes_.size() - at_ < size) {
            return std::nullopt;
        }
        const auto* const data = reinterpret_cast<const char*>(bytes_.data() + at_);
        at_ += size;
        return std::string(data, size);
    }
    [[nodiscard]] std::size_t at() const { return at_; }

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

std::unexpected<Error> malformed_table() {
    return fail(ErrorCode::Parse, "its table of files is malformed");
}

} // namespace

std::vector<std::byte> write_file_table(std::span<const NamedBytes> files) {
    std::vector<std::byte> table;
    put(table, static_cast<std::uint32_t>(files.size()));
    for (const NamedBytes& file : files) {
        put(table, static_cast<std::uint32_t>(file.name.size()));
        put(table, static_cast<std::uint64_t>(file.bytes.size()));
        const auto name = std::as_bytes(std::span(file.name));
        table.insert(table.end(), name.begin(), name.end());
    }
    table.resize(align_up(table.size(), kSealedAlignment));
    return table;
}

Result<UnsealedModel> read_file_table(const std::shared_ptr<const void>& owner,
                                      std::span<const std::byte> payload) {
    TableReader table(payload);
    const auto count = table.number<std::uint32_t>();
    if (!count || *count == 0 || *count > kMaxSealedFiles) {
        return malformed_table();
    }
    std::vector<std::pair<std::string, std::uint64_t>> entries;
    for (std::uint32_t i = 0; i < *count; ++i) {
        const auto name_size = table.number<std::uint32_t>();
        const auto size = table.number<std::uint64_t>();
        auto name = name_size ? table.text(*name_size) : std::nullopt;
        if (!size || !name) {
            return malformed_table();
        }
        entries.emplace_back(std::move(*name), *size);
    }
    UnsealedModel out;
    std::size_t at = align_up(table.at(), kSealedAlignment);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& [name, size] = entries[i];
        if (at > payload.size() || size > payload.size() - at) {
            return malformed_table();
        }
        FileBytes file{.owner = owner, .bytes = payload.subspan(at, size)};
        at = align_up(at + size, kSealedAlignment);
        if (i == 0) {
            out.name = clean_text(name);
            out.model = std::move(file);
        } else {
            out.files.emplace(name, std::move(file));
        }
    }
    return out;
}

} // namespace sluice::models
