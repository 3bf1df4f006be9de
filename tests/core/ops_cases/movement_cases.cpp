// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements: concat, expand, pad, reshape, slice, split, transpose, where.
#include <format>
#include <numeric>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

OpCase concat_case(const std::vector<Shape>& shapes, std::uint32_t axis, DataType type) {
    std::vector<std::pair<DataType, Shape>> operands;
    std::string name = std::format("concat/{}_axis{}", graph::name(type), axis);
    Shape y = shapes[0];
    y[axis] = 0;
    for (const Shape& shape : shapes) {
        operands.emplace_back(type, shape);
        name += graph::to_string(shape);
        y[axis] += shape[axis];
    }
    OpCase test = exact_case(name, ops::Concat{.axis = axis}, operands);
    test.expected = [y, axis](const OpCase& self) {
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            std::size_t piece = 0;
            while (at[axis] >= self.operands[piece].shape[axis]) {
                at[axis] -= self.operands[piece++].shape[axis];
            }
            return self.operands[piece].values[flat_of(at, self.operands[piece].shape)];
        })};
    };
    return test;
}

OpCase split_case(const Shape& x, std::vector<std::uint32_t> sizes, std::uint32_t axis,
                  DataType type) {
    OpCase test = exact_case(std::format("split/{}_{}_axis{}_pieces{}", graph::name(type),
                                         graph::to_string(x), axis, sizes.size()),
                             ops::Split{.sizes = sizes, .axis = axis}, {{type, x}});
    test.expected = [=](const OpCase& self) {
        std::vector<Expected> out;
        std::size_t start = 0;
        for (const std::uint32_t size : sizes) {
            Shape y = x;
            y[axis] = size;
            out.push_back(for_each_position(y, [&](std::vector<std::size_t> at) {
                at[axis] += start;
                return self.operands[0].values[flat_of(at, x)];
            }));
            start += size;
        }
        return out;
    };
    return test;
}

OpCase expand_case(const Shape& x, const Shape& y, DataType type) {
    OpCase test = exact_case(
        std::format("expand/{}_{}_{}", graph::name(type), graph::to_string(x), graph::to_string(y)),
        ops::Expand{.shape = y}, {{type, x}});
    test.expected = [y](const OpCase& self) {
        return std::vector{for_each_position(
            y, [&](const auto& at) { return broadcast_value(self.operands[0], at); })};
    };
    return test;
}

// Where position `at` of the padded axis shows the input, or -1 for the constant: by walking there
// from the edge step by step.
long padded_source(long at, long size, ops::PaddingMode mode) {
    if (at >= 0 && at < size) {
        return at;
    }
    if (mode == ops::PaddingMode::Constant) {
        return -1;
    }
    long source = at < 0 ? 0 : size - 1;
    if (mode == ops::PaddingMode::Reflection) {
        const long step = at < 0 ? 1 : -1;
        const long steps = at < 0 ? -at : at - (size - 1);
        for (long i = 0; i < steps; ++i) {
            source += step;
        }
    }
    return source;
}

OpCase pad_case(const Shape& x, std::vector<std::uint32_t> before, std::vector<std::uint32_t> after,
                ops::PaddingMode mode, DataType type = DataType::Float32) {
    std::string amounts;
    Shape y = x;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        amounts += std::format("_{}_{}", before[axis], after[axis]);
        y[axis] += before[axis] + after[axis];
    }
    OpCase test = exact_case(
        std::format("pad/{}_{}{}_mode{}", graph::name(type), graph::to_string(x), amounts,
                    static_cast<int>(mode)),
        ops::Pad{.beginning = before, .ending = after, .mode = mode, .value = 7.0}, {{type, x}});
    test.on_cpu = type != DataType::Int32 && mode == ops::PaddingMode::Constant;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                const long source = padded_source(
                    static_cast<long>(at[axis]) - static_cast<long>(before[axis]), x[axis], mode);
                if (source < 0) {
                    return 7.0;
                }
                at[axis] = static_cast<std::size_t>(source);
            }
            return self.operands[0].values[flat_of(at, x)];
        })};
    };
    return test;
}

OpCase reshape_case(const Shape& x, const Shape& y, DataType type) {
    OpCase test = exact_case(std::format("reshape/{}_{}_{}", graph::name(type), graph::to_string(x),
                                         graph::to_string(y)),
                             ops::Reshape{.shape = y}, {{type, x}});
    test.expected = [y](const OpCase& self) {
        return std::vector{for_each_position(
            y, [&](const auto& at) { return self.operands[0].values[flat_of(at, y)]; })};
    };
    return test;
}

OpCase slice_case(const Shape& x, std::vector<std::uint32_t> starts,
                  std::vector<std::uint32_t> sizes, std::vector<std::uint32_t> strides,
                  DataType type = DataType::Float32) {
    Shape y = x;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const std::uint32_t stride = strides.empty() ? 1 : strides[axis];
        y[axis] = (sizes[axis] + stride - 1) / stride;
    }
    OpCase test =
        exact_case(std::format("slice/{}_{}_to_{}{}", graph::name(type), graph::to_string(x),
                               graph::to_string(y), strides.empty() ? "" : "_strided"),
                   ops::Slice{.starts = starts, .sizes = sizes, .strides = strides}, {{type, x}});
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                at[axis] = starts[axis] + at[axis] * (strides.empty() ? 1 : strides[axis]);
            }
            return self.operands[0].values[flat_of(at, x)];
        })};
    };
    return test;
}

OpCase transpose_case(const Shape& x, std::vector<std::uint32_t> permutation,
                      DataType type = DataType::Float32) {
    std::string order;
    Shape y = x;
    for (std::size_t axis = 0; axis < permutation.size(); ++axis) {
        order += std::format("{}", permutation[axis]);
        y[axis] = x[permutation[axis]];
    }
    OpCase test =
        exact_case(std::format("transpose/{}_{}_{}", graph::name(type), graph::to_string(x), order),
                   ops::Transpose{.permutation = permutation}, {{type, x}});
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](const auto& at) {
            std::vector<std::size_t> from(at.size());
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                from[permutation[axis]] = at[axis];
            }
            return self.operands[0].values[flat_of(from, x)];
        })};
    };
    return test;
}

OpCase where_case(const Shape& condition, const Shape& a, const Shape& b, const Shape& y,
                  DataType type) {
    OpCase test =
        exact_case(std::format("where/{}_{}{}{}", graph::name(type), graph::to_string(condition),
                               graph::to_string(a), graph::to_string(b)),
                   ops::Where{}, {{DataType::Uint8, condition}, {type, a}, {type, b}});
    for (double& value : test.operands[0].values) {
        value = value > 50.0 ? value : 0.0; // any number but 0 is true
    }
    test.expected = [y](const OpCase& self) {
        return std::vector{for_each_position(y, [&](const auto& at) {
            return broadcast_value(self.operands[0], at) != 0.0
                       ? broadcast_value(self.operands[1], at)
                       : broadcast_value(self.operands[2], at);
        })};
    };
    return test;
}

void add_strided(std::vector<OpCase>& cases) {
    using enum DataType;
    cases.push_back(slice_case({29}, {3}, {17}, {}));
    cases.push_back(slice_case({29}, {1}, {28}, {5}));
    cases.push_back(slice_case({1, 9, 7, 42}, {0, 0, 0, 0}, {1, 9, 7, 24}, {}));
    cases.push_back(slice_case({1, 9, 7, 42}, {0, 2, 1, 36}, {1, 5, 5, 6}, {}));
    cases.push_back(slice_case({2, 9, 7, 5}, {0, 1, 0, 1}, {2, 8, 7, 4}, {1, 2, 3, 2}));
    cases.push_back(slice_case({2, 9, 7, 5}, {1, 0, 0, 0}, {1, 9, 7, 5}, {}, Int64));
    cases.push_back(slice_case({6, 5}, {2, 1}, {3, 4}, {2, 1}, Uint8));
    cases.push_back(slice_case({1, 83, 71, 24}, {0, 1, 1, 0}, {1, 80, 70, 16}, {}));

    cases.push_back(transpose_case({5, 7}, {1, 0}));
    cases.push_back(transpose_case({1, 5, 7, 3}, {0, 3, 1, 2}));  // NHWC to NCHW
    cases.push_back(transpose_case({1, 24, 9, 7}, {0, 2, 3, 1})); // and back
    cases.push_back(transpose_case({2, 3, 4, 5}, {3, 1, 0, 2}));
    cases.push_back(transpose_case({2, 3, 4, 5}, {0, 1, 2, 3}));
    for (const std::uint32_t c : {1U, 2U, 3U, 4U, 5U}) { // depth to space, blocks of 2
        cases.push_back(transpose_case({1, 5, 7, 2, 2, c}, {0, 1, 3, 2, 4, 5}));
    }
    cases.push_back(transpose_case({1, 61, 67, 2, 2, 1}, {0, 1, 3, 2, 4, 5}));
    cases.push_back(transpose_case({1, 61, 67, 16}, {0, 3, 1, 2}));
    cases.push_back(transpose_case({3, 1, 5}, {2, 0, 1}, Int8));
    cases.push_back(transpose_case({3, 2, 5}, {2, 0, 1}, Float16));
    cases.push_back(transpose_case({3, 2, 5}, {1, 2, 0}, Uint64));
}

} // namespace

std::vector<OpCase> movement_cases() {
    using enum DataType;
    using enum ops::PaddingMode;
    std::vector<OpCase> cases;
    cases.push_back(concat_case({{3}, {5}, {1}}, 0, Float32));
    cases.push_back(concat_case({{7}}, 0, Float32));
    for (std::uint32_t axis = 0; axis < 4; ++axis) {
        Shape odd{2, 3, 5, 4};
        odd[axis] = 3;
        cases.push_back(concat_case({{2, 3, 5, 4}, odd, {2, 3, 5, 4}}, axis, Float32));
    }
    cases.push_back(concat_case({{1, 61, 67, 4}, {1, 61, 67, 4}}, 3, Float32)); // CReLU
    cases.push_back(concat_case({{1, 9, 7, 8}, {1, 9, 7, 16}, {1, 9, 7, 1}}, 3, Float32));
    cases.push_back(concat_case({{1, 512, 1}, {1, 384, 1}}, 1, Float32));
    cases.push_back(concat_case({{2, 3}, {2, 4}}, 1, Uint8));
    cases.push_back(concat_case({{2, 3}, {5, 3}}, 0, Int64));
    cases.push_back(split_case({7}, {2, 5}, 0, Float32));
    cases.push_back(split_case({1, 9, 11, 24}, {8, 8, 8}, 3, Float32));
    cases.push_back(split_case({2, 9, 11, 7}, {4, 5}, 1, Float32));
    cases.push_back(split_case({1, 61, 67, 20}, {3, 17}, 3, Float32));
    cases.push_back(split_case({3, 6}, {1, 2, 3}, 1, Float16));
    cases.push_back(expand_case({}, {3, 5}, Float32));
    cases.push_back(expand_case({3, 1, 5}, {2, 3, 4, 5}, Float32));
    cases.push_back(expand_case({1, 4}, {7, 4}, Uint8));
    cases.push_back(expand_case({7, 1}, {7, 3}, Int64));
    for (const ops::PaddingMode mode : {Constant, Edge, Reflection}) {
        cases.push_back(pad_case({7}, {2}, {3}, mode));
        cases.push_back(pad_case({1, 5, 7, 3}, {0, 1, 2, 0}, {0, 2, 1, 0}, mode));
        cases.push_back(pad_case({2, 3, 4, 5}, {1, 2, 3, 4}, {1, 1, 2, 3}, mode));
        cases.push_back(pad_case({3, 4}, {0, 3}, {2, 0}, mode, Int32));
    }
    cases.push_back(pad_case({1, 9, 7, 24}, {0, 0, 0, 0}, {0, 0, 0, 4}, Constant));
    cases.push_back(pad_case({1, 9, 7, 24}, {0, 0, 0, 0}, {0, 0, 0, 0}, Constant));
    cases.push_back(pad_case({1, 5, 7, 3}, {0, 1, 2, 0}, {0, 2, 1, 0}, Constant, Int8));
    cases.push_back(pad_case({2, 3, 4, 5}, {1, 2, 3, 4}, {1, 1, 2, 3}, Constant, Uint8));
    cases.push_back(pad_case({1, 1, 1, 1}, {1, 0, 1, 0}, {0, 1, 0, 1}, Constant));
    cases.push_back(pad_case({1, 71, 67, 16}, {0, 1, 1, 0}, {0, 1, 1, 0}, Constant));
    cases.push_back(reshape_case({2, 3, 4}, {4, 6}, Float32));
    cases.push_back(reshape_case({1, 16, 16, 6}, {1, 512, 3}, Float32));
    cases.push_back(reshape_case({1, 61, 67, 16}, {61, 1072}, Float32));
    cases.push_back(reshape_case({6}, {1, 2, 1, 3}, Int8));
    cases.push_back(reshape_case({1}, {}, Uint64));
    add_strided(cases);
    cases.push_back(where_case({3, 5}, {3, 5}, {3, 5}, {3, 5}, Float32));
    cases.push_back(where_case({5}, {3, 1}, {}, {3, 5}, Float32));
    cases.push_back(where_case({3, 1}, {4}, {2, 1, 4}, {2, 3, 4}, Int64));
    cases.push_back(where_case({3, 1}, {4}, {2, 1, 4}, {2, 3, 4}, Float16));
    return cases;
}

} // namespace sluice::testing
