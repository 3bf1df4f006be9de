// SPDX-License-Identifier: Apache-2.0
// Regions of operands, and their sharing.
#include "core/vulkan/steps.h"

#include <algorithm>
#include <utility>

namespace sluice::vulkan {

using graph::index;

StepWriter::StepWriter(Context context, const graph::Graph& graph, const runtime::Segment& segment)
    : profile_(context.profile), tuning_(context.tuning), graph_(graph), segment_(segment),
      of_operand_(graph.operands().size()) {
    const auto place = [&](const std::vector<graph::OperandId>& ids, std::vector<RegionId>& out) {
        for (const graph::OperandId id : ids) {
            auto& region = of_operand_[index(id)];
            if (!region) {
                region = add({.bytes = graph_.desc(id).byte_size(),
                              .is_border = true,
                              .is_constant = false,
                              .data = {}});
            }
            out.push_back(*region);
        }
    };
    place(segment.inputs, steps_.inputs);
    place(segment.outputs, steps_.outputs);
}

RegionId StepWriter::add(Region region) {
    steps_.regions.push_back(std::move(region));
    return RegionId(static_cast<std::uint32_t>(steps_.regions.size() - 1));
}

RegionId StepWriter::region(graph::OperandId id) {
    auto& region = of_operand_[index(id)];
    if (!region) {
        const graph::Operand& operand = graph_.operand(id);
        region = add({.bytes = operand.desc.byte_size(),
                      .is_border = false,
                      .is_constant = operand.kind == graph::OperandKind::Constant,
                      .data = operand.data});
    }
    return *region;
}

RegionId StepWriter::scratch(std::size_t bytes) {
    return add({.bytes = bytes, .is_border = false, .is_constant = false, .data = {}});
}

RegionId StepWriter::constant(std::vector<std::byte> bytes) {
    const std::size_t size = bytes.size();
    return add({.bytes = size,
                .is_border = false,
                .is_constant = true,
                .data = graph::ConstantData::own(std::move(bytes))});
}

void StepWriter::alias(graph::OperandId source, graph::OperandId result) {
    const RegionId from = region(source);
    auto& target = of_operand_[index(result)];
    if (target) { // an output of the segment has memory of its own
        copy(from, *target);
    } else {
        target = from;
    }
}

Steps StepWriter::take() && {
    return std::move(steps_);
}

} // namespace sluice::vulkan
