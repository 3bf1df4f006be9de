// SPDX-License-Identifier: Apache-2.0
// Steps made into a program of their own, and run a few times between two timestamps.
#include "core/vulkan/step_timer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "core/vulkan/make_program.h"

namespace sluice::vulkan {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kRepeats = 4; // within one submission: a kernel is short
constexpr int kRuns = 3;              // behind one that warms up

class DeviceTimer final : public StepTimer {
public:
    explicit DeviceTimer(std::shared_ptr<Device> device) : device_(std::move(device)) {
        VkPhysicalDeviceProperties properties{};
        vkGetPhysicalDeviceProperties(device_->physical(), &properties);
        std::uint32_t count = 0;
        vkGetPhysicalDeviceQueueFamilyProperties(device_->physical(), &count, nullptr);
        std::vector<VkQueueFamilyProperties> families(count);
        vkGetPhysicalDeviceQueueFamilyProperties(device_->physical(), &count, families.data());
        const std::uint32_t bits = families[device_->queue_family()].timestampValidBits;
        tick_ns_ = bits == 0 ? 0.0 : static_cast<double>(properties.limits.timestampPeriod);
        mask_ = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    }

    [[nodiscard]] Result<std::uint64_t> time(Steps steps) override {
        // The fastest run is the one that nobody disturbed.
        SLUICE_TRY_ASSIGN(const auto program, make_program(device_, std::move(steps), false));
        SLUICE_TRY_ASSIGN(const QueryPoolHandle queries, make_queries());
        SLUICE_TRY_ASSIGN(auto recording, Recording::create(device_));
        const VolkDeviceTable& table = device_->table();
        if (queries) {
            table.vkCmdResetQueryPool(recording.commands(), queries.get(), 0, 2);
            table.vkCmdWriteTimestamp(recording.commands(), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                      queries.get(), 0);
        }
        for (std::uint32_t i = 0; i < kRepeats; ++i) {
            SLUICE_TRY(program->record(recording));
        }
        if (queries) {
            table.vkCmdWriteTimestamp(recording.commands(), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                      queries.get(), 1);
        }
        SLUICE_TRY(recording.finish());
        SLUICE_TRY(recording.run());
        std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
        for (int i = 0; i < kRuns; ++i) {
            SLUICE_TRY_ASSIGN(const std::uint64_t taken, run(recording, queries));
            best = std::min(best, taken / kRepeats);
        }
        return best;
    }

private:
    // Null where the queue writes no timestamps.
    [[nodiscard]] Result<QueryPoolHandle> make_queries() const {
        if (tick_ns_ == 0.0) {
            return QueryPoolHandle();
        }
        const VkQueryPoolCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
            .queryType = VK_QUERY_TYPE_TIMESTAMP,
            .queryCount = 2,
        };
        VkQueryPool raw = VK_NULL_HANDLE;
        if (const VkResult result =
                device_->table().vkCreateQueryPool(device_->handle(), &info, nullptr, &raw);
            result != VK_SUCCESS) {
            return std::unexpected(vulkan_error(result, "vkCreateQueryPool"));
        }
        return device_->own<QueryPoolHandle>(raw);
    }

    [[nodiscard]] Result<std::uint64_t> run(Recording& recording,
                                            const QueryPoolHandle& queries) const {
        const Clock::time_point start = Clock::now();
        SLUICE_TRY(recording.run());
        const auto around = std::chrono::nanoseconds(Clock::now() - start).count();
        std::array<std::uint64_t, 2> ticks{};
        if (!queries || device_->table().vkGetQueryPoolResults(
                            device_->handle(), queries.get(), 0, ticks.size(), sizeof(ticks),
                            ticks.data(), sizeof(ticks[0]), VK_QUERY_RESULT_64_BIT) != VK_SUCCESS) {
            return static_cast<std::uint64_t>(around);
        }
        return static_cast<std::uint64_t>(static_cast<double>((ticks[1] - ticks[0]) & mask_) *
                                          tick_ns_);
    }

    std::shared_ptr<Device> device_;
    double tick_ns_ = 0.0; // of a timestamp; 0 where there are none
    std::uint64_t mask_ = 0;
};

} // namespace

std::unique_ptr<StepTimer> make_step_timer(std::shared_ptr<Device> device) {
    return std::make_unique<DeviceTimer>(std::move(device));
}

} // namespace sluice::vulkan
