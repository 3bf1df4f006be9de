// SPDX-License-Identifier: Apache-2.0
// Tables of inference cases: an operator, operand descriptors as text, and what comes of them.
#pragma once

#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/ops/attributes.h"

namespace sluice::ops {

// "float32[1,3,8,8]" as a descriptor.
inline graph::TensorDesc desc_from(std::string_view text) {
    const std::size_t open = text.find('[');
    std::vector<std::uint32_t> dims;
    for (std::string_view rest = text.substr(open + 1); rest.size() > 1;) {
        std::uint32_t dim = 0;
        const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), dim).ptr;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        dims.push_back(dim);
        if (rest.front() == ',') {
            rest.remove_prefix(1);
        }
    }
    return graph::TensorDesc::create(*graph::data_type_from_name(text.substr(0, open)), dims)
        .value();
}

struct Row {
    Attributes op;
    std::vector<std::string_view> inputs;
    // The outputs, separated by blanks; or "!" and the whole sentence of the error.
    std::string_view expected;
};

inline void check(std::span<const Row> rows) {
    for (const Row& row : rows) {
        std::string call = std::string(name_of(row.op)) + " " + describe(row.op) + " (";
        std::vector<graph::TensorDesc> inputs;
        for (const std::string_view input : row.inputs) {
            inputs.push_back(desc_from(input));
            call += std::string(input) + " ";
        }
        const auto outputs = infer(row.op, inputs);
        std::string got;
        if (outputs) {
            for (const graph::TensorDesc& output : *outputs) {
                got += (got.empty() ? "" : " ") + graph::to_string(output);
            }
        } else {
            EXPECT_EQ(outputs.error().code, ErrorCode::InvalidArgument) << call;
            got = "!" + outputs.error().message;
        }
        EXPECT_EQ(got, row.expected) << call << ")";
    }
}

} // namespace sluice::ops
