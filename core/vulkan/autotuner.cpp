// SPDX-License-Identifier: Apache-2.0
// Timing of candidates, and what was chosen before.
#include "core/vulkan/autotuner.h"

#include <algorithm>
#include <format>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/log.h"
#include "core/vulkan/kernel_candidates.h"

namespace sluice::vulkan {
namespace {

// A candidate that is faster than the table's by less may be so by chance.
constexpr double kWorthwhile = 0.95;

// What the device would run: equal for candidates that differ in nothing that a node uses.
std::vector<std::uint32_t> signature_of(const Steps& steps) {
    std::vector<std::uint32_t> out;
    for (const Step& step : steps.steps) {
        if (const auto* dispatch = std::get_if<DispatchStep>(&step)) {
            out.push_back(static_cast<std::uint32_t>(dispatch->shader));
            out.insert(out.end(), dispatch->constants.begin(), dispatch->constants.end());
            out.insert(out.end(), dispatch->groups.begin(), dispatch->groups.end());
        }
    }
    return out;
}

} // namespace

Autotuner::Autotuner(const DeviceProfile& profile, const Tuning& table,
                     std::unique_ptr<StepTimer> timer, AutotunerOptions options)
    : profile_(profile), table_(table), timer_(std::move(timer)), options_(std::move(options)) {
    if (options_.file.empty()) {
        return;
    }
    if (auto kept = read_tuned_choices(options_.file, profile_)) {
        choices_ = std::move(*kept);
    } else if (kept.error().code != ErrorCode::NotFound) {
        log::info("vulkan", "kernels are timed anew: {}", kept.error().message);
    }
}

std::chrono::nanoseconds Autotuner::now() const {
    return options_.now ? options_.now() : std::chrono::steady_clock::now().time_since_epoch();
}

Tuning Autotuner::tuning_of(const graph::Graph& graph, const graph::Node& node,
                            const Lower& lower) {
    const std::vector<KernelCandidate> candidates = kernel_candidates(profile_, table_, node);
    if (candidates.size() == 1) {
        return table_;
    }
    const std::string shape = kernel_shape(table_, graph, node);
    const std::lock_guard hold(lock_);
    if (const auto kept = choices_.find(shape); kept != choices_.end()) {
        const auto found = std::ranges::find(candidates, kept->second, &KernelCandidate::name);
        if (found != candidates.end()) {
            return found->tuning;
        }
    }
    const std::chrono::nanoseconds start = now();
    std::vector<std::vector<std::uint32_t>> seen;
    std::optional<double> of_table;
    std::optional<std::pair<double, const KernelCandidate*>> best;
    for (const KernelCandidate& candidate : candidates) {
        if (spent_ + (now() - start) >= options_.budget) {
            spent_ += now() - start;
            return table_;
        }
        auto steps = lower(candidate.tuning);
        if (!steps) {
            continue;
        }
        auto signature = signature_of(*steps);
        if (std::ranges::contains(seen, signature)) {
            continue;
        }
        seen.push_back(std::move(signature));
        const auto taken = timer_->time(std::move(*steps));
        if (!taken) {
            log::info("vulkan", "'{}' is not chosen for {}: {}", candidate.name, shape,
                      taken.error().message);
            continue;
        }
        const auto ns = static_cast<double>(*taken);
        if (&candidate == &candidates.front()) {
            of_table = ns;
        }
        if (!best || ns < best->first) {
            best = {ns, &candidate};
        }
    }
    spent_ += now() - start;
    if (!best) {
        return table_;
    }
    const bool worthwhile = !of_table || best->first < *of_table * kWorthwhile;
    const KernelCandidate& chosen = worthwhile ? *best->second : candidates.front();
    log::info("vulkan", "'{}' at {:.1f} us for {}", chosen.name, best->first * 1e-3, shape);
    choices_[shape] = chosen.name;
    unsaved_ = true;
    return chosen.tuning;
}

void Autotuner::save() {
    const std::lock_guard hold(lock_);
    if (options_.file.empty() || !std::exchange(unsaved_, false)) {
        return;
    }
    // What others have kept meanwhile stays.
    if (auto kept = read_tuned_choices(options_.file, profile_)) {
        choices_.merge(*kept);
    }
    if (const Status written = write_tuned_choices(options_.file, profile_, choices_); !written) {
        log::info("vulkan", "tuned kernels are not kept: {}", written.error().message);
    }
}

} // namespace sluice::vulkan
