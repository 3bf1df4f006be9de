// SPDX-License-Identifier: Apache-2.0
// The file of tuned choices: a line that says whose they are, then a line a choice.
#include "core/vulkan/tuned_choices.h"

#include <cstdint>
#include <format>
#include <span>
#include <string_view>
#include <vector>

#include "core/vulkan/device_cache_file.h"
#include "core/vulkan/shader.h"

namespace sluice::vulkan {
namespace {

constexpr CacheKind kTunedChoices{
    .name = "file of tuned kernels", .magic = "sluicetn", .version = 1};

// FNV-1a over all shaders: kernels of another build are other kernels.
std::uint64_t kernels_hash() {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (std::size_t i = 0; i < shader_count(); ++i) {
        for (const std::uint32_t word : code(static_cast<Shader>(i))) {
            hash = (hash ^ word) * 0x100000001b3U;
        }
    }
    return hash;
}

std::string owner_line(const DeviceProfile& device) {
    static const std::uint64_t kernels = kernels_hash();
    std::string text = std::format("{:x} {:x} ", device.vendor_id, device.device_id);
    for (const std::uint8_t byte : device.cache_uuid) {
        text += std::format("{:02x}", byte);
    }
    return text + std::format(" {:x}", kernels);
}

// The text up to the separator, which is taken off `rest` with it.
Result<std::string_view> take(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    if (end == std::string_view::npos) {
        return fail(ErrorCode::Parse, "a line has no end");
    }
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return text;
}

} // namespace

std::filesystem::path tuned_choices_path(const DeviceProfile& device) {
    return device_cache_path(device, "tuning");
}

Result<TunedChoices> read_tuned_choices(const std::filesystem::path& path,
                                        const DeviceProfile& device) {
    SLUICE_TRY_ASSIGN(const std::vector<std::byte> data,
                      read_device_cache(path, device, kTunedChoices));
    std::string_view rest(reinterpret_cast<const char*>(data.data()), data.size());
    SLUICE_TRY_ASSIGN(const std::string_view owner, take(rest, '\n'));
    if (owner != owner_line(device)) {
        return fail(ErrorCode::Parse, "'{}' is of another device than '{}', or of other kernels",
                    path.string(), device.name);
    }
    TunedChoices choices;
    while (!rest.empty()) {
        SLUICE_TRY_ASSIGN(const std::string_view candidate, take(rest, '\t'));
        SLUICE_TRY_ASSIGN(const std::string_view shape, take(rest, '\n'));
        choices.emplace(shape, candidate);
    }
    return choices;
}

Status write_tuned_choices(const std::filesystem::path& path, const DeviceProfile& device,
                           const TunedChoices& choices) {
    std::string text = owner_line(device) + "\n";
    for (const auto& [shape, candidate] : choices) {
        text += std::format("{}\t{}\n", candidate, shape);
    }
    return write_device_cache(path, device, kTunedChoices, std::as_bytes(std::span(text)));
}

} // namespace sluice::vulkan
