// SPDX-License-Identifier: Apache-2.0
// Operators that move elements by indices or by their place: gathers, scatters, reverse, tile and
// triangular.
#include <format>
#include <functional>
#include <limits>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

// Indices of an axis of `size` elements: from either end, and beyond both.
CaseOperand random_indices(Random& random, DataType type, const Shape& shape, std::uint32_t size) {
    CaseOperand out{.type = type, .shape = shape, .is_constant = false, .values = {}};
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        const double low = type == DataType::Uint32 ? 0.0 : -1.5 * size;
        out.values.push_back(stored(DataType::Int32, random.uniform(low, 1.5 * size)));
    }
    return out;
}

// Element i of the indices, as WebNN reads it: negative ones from the end, all within the axis.
std::size_t index_at(const CaseOperand& indices, std::size_t i, std::uint32_t size) {
    double index = indices.values[i];
    if (index < -static_cast<double>(size)) {
        index = 0.0;
    } else if (index < 0.0) {
        index += size;
    } else if (index > size - 1.0) {
        index = size - 1.0;
    }
    return static_cast<std::size_t>(index);
}

OpCase gather_case(const Shape& x, const Shape& picks, std::uint32_t axis, DataType type,
                   DataType index_type = DataType::Int32) {
    Shape y;
    for (std::size_t i = 0; i < x.rank(); ++i) {
        if (i != axis) {
            y.push_back(x[i]);
            continue;
        }
        for (const std::uint32_t dim : picks.dims()) {
            y.push_back(dim);
        }
    }
    OpCase test =
        exact_case(std::format("gather/{}_{}_{}_{}_axis{}", graph::name(type), graph::to_string(x),
                               graph::name(index_type), graph::to_string(picks), axis),
                   ops::Gather{.axis = axis}, {{type, x}});
    Random random(test.name + " indices");
    test.operands.push_back(random_indices(random, index_type, picks, x[axis]));
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](const std::vector<std::size_t>& at) {
            const auto begin = at.begin() + axis;
            const auto end = begin + static_cast<std::ptrdiff_t>(picks.rank());
            std::vector<std::size_t> from(at.begin(), begin);
            from.push_back(index_at(self.operands[1], flat_of({begin, end}, picks), x[axis]));
            from.insert(from.end(), end, at.end());
            return self.operands[0].values[flat_of(from, x)];
        })};
    };
    return test;
}

OpCase gather_elements_case(const Shape& x, std::uint32_t axis, std::uint32_t length, DataType type,
                            DataType index_type = DataType::Int32) {
    Shape y = x;
    y[axis] = length;
    OpCase test =
        exact_case(std::format("gather_elements/{}_{}_{}_axis{}_{}", graph::name(type),
                               graph::to_string(x), graph::name(index_type), axis, length),
                   ops::GatherElements{.axis = axis}, {{type, x}});
    Random random(test.name + " indices");
    test.operands.push_back(random_indices(random, index_type, y, x[axis]));
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            at[axis] = index_at(self.operands[1], flat_of(at, y), x[axis]);
            return self.operands[0].values[flat_of(at, x)];
        })};
    };
    return test;
}

// Coordinates of the first `axes` axes of x, as many tuples as `leading` has elements.
CaseOperand random_coordinates(Random& random, DataType type, const Shape& leading,
                               std::uint32_t axes, const Shape& x) {
    Shape shape = leading;
    shape.push_back(axes);
    CaseOperand out{.type = type, .shape = shape, .is_constant = false, .values = {}};
    for (std::size_t i = 0; i < leading.element_count(); ++i) {
        for (std::uint32_t axis = 0; axis < axes; ++axis) {
            out.values.push_back(random_indices(random, type, {1}, x[axis]).values[0]);
        }
    }
    return out;
}

// Leading dimensions, then those of x that have no coordinate.
Shape picked_shape(const Shape& leading, std::uint32_t axes, const Shape& x) {
    Shape out = leading;
    for (std::size_t axis = axes; axis < x.rank(); ++axis) {
        out.push_back(x[axis]);
    }
    return out;
}

// The element of x that element `at` of the picked shape means.
std::size_t picked_element(const CaseOperand& indices, const std::vector<std::size_t>& at,
                           const Shape& leading, std::uint32_t axes, const Shape& x) {
    const auto split = at.begin() + static_cast<std::ptrdiff_t>(leading.rank());
    const std::size_t tuple = flat_of({at.begin(), split}, leading);
    std::vector<std::size_t> place;
    for (std::uint32_t axis = 0; axis < axes; ++axis) {
        place.push_back(index_at(indices, tuple * axes + axis, x[axis]));
    }
    place.insert(place.end(), split, at.end());
    return flat_of(place, x);
}

OpCase gather_nd_case(const Shape& x, const Shape& leading, std::uint32_t axes, DataType type,
                      DataType index_type = DataType::Int32) {
    OpCase test =
        exact_case(std::format("gather_nd/{}_{}_{}_{}x{}", graph::name(type), graph::to_string(x),
                               graph::name(index_type), graph::to_string(leading), axes),
                   ops::GatherNd{}, {{type, x}});
    Random random(test.name + " indices");
    test.operands.push_back(random_coordinates(random, index_type, leading, axes, x));
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(picked_shape(leading, axes, x), [&](const auto& at) {
            return self.operands[0].values[picked_element(self.operands[1], at, leading, axes, x)];
        })};
    };
    return test;
}

// The values of x after the updates, in the order of their elements.
Expected updated(const OpCase& self,
                 const std::function<std::size_t(const std::vector<std::size_t>&)>& place) {
    Expected out{.values = self.operands[0].values, .magnitudes = {}};
    const CaseOperand& updates = self.operands[2];
    for (std::size_t i = 0; i < updates.values.size(); ++i) {
        out.values[place(position_of(i, updates.shape))] = updates.values[i];
    }
    out.magnitudes.assign(out.values.size(), 0.0);
    return out;
}

OpCase scatter_elements_case(const Shape& x, std::uint32_t axis, std::uint32_t length,
                             DataType type, DataType index_type = DataType::Int32) {
    Shape updates = x;
    updates[axis] = length;
    OpCase test =
        exact_case(std::format("scatter_elements/{}_{}_{}_axis{}_{}", graph::name(type),
                               graph::to_string(x), graph::name(index_type), axis, length),
                   ops::ScatterElements{.axis = axis}, {{type, x}, {type, updates}});
    Random random(test.name + " indices");
    test.operands.insert(test.operands.begin() + 1,
                         random_indices(random, index_type, updates, x[axis]));
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{updated(self, [&](std::vector<std::size_t> at) {
            at[axis] = index_at(self.operands[1], flat_of(at, updates), x[axis]);
            return flat_of(at, x);
        })};
    };
    return test;
}

OpCase scatter_nd_case(const Shape& x, const Shape& leading, std::uint32_t axes, DataType type,
                       DataType index_type = DataType::Int32) {
    OpCase test =
        exact_case(std::format("scatter_nd/{}_{}_{}_{}x{}", graph::name(type), graph::to_string(x),
                               graph::name(index_type), graph::to_string(leading), axes),
                   ops::ScatterNd{}, {{type, x}, {type, picked_shape(leading, axes, x)}});
    Random random(test.name + " indices");
    test.operands.insert(test.operands.begin() + 1,
                         random_coordinates(random, index_type, leading, axes, x));
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{updated(self, [&](const std::vector<std::size_t>& at) {
            return picked_element(self.operands[1], at, leading, axes, x);
        })};
    };
    return test;
}

OpCase reverse_case(const Shape& x, const std::vector<std::uint32_t>& axes, DataType type) {
    std::string list;
    for (const std::uint32_t axis : axes) {
        list += std::format("{}", axis);
    }
    OpCase test = exact_case(
        std::format("reverse/{}_{}_axes{}", graph::name(type), graph::to_string(x), list),
        ops::Reverse{.axes = axes}, {{type, x}});
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](std::vector<std::size_t> at) {
            for (const std::uint32_t axis : axes) {
                at[axis] = x[axis] - 1 - at[axis];
            }
            return self.operands[0].values[flat_of(at, x)];
        })};
    };
    return test;
}

OpCase tile_case(const Shape& x, const std::vector<std::uint32_t>& repetitions, DataType type) {
    Shape y = x;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        y[axis] *= repetitions[axis];
    }
    OpCase test = exact_case(std::format("tile/{}_{}_to_{}", graph::name(type), graph::to_string(x),
                                         graph::to_string(y)),
                             ops::Tile{.repetitions = repetitions}, {{type, x}});
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            for (std::size_t axis = 0; axis < at.size(); ++axis) {
                at[axis] %= x[axis];
            }
            return self.operands[0].values[flat_of(at, x)];
        })};
    };
    return test;
}

OpCase triangular_case(const Shape& x, bool upper, int diagonal, DataType type) {
    OpCase test = exact_case(std::format("triangular/{}_{}_{}{}", graph::name(type),
                                         graph::to_string(x), upper ? "upper" : "lower", diagonal),
                             ops::Triangular{.upper = upper, .diagonal = diagonal}, {{type, x}});
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](const std::vector<std::size_t>& at) {
            // How far right of the main diagonal the element lies.
            const auto right =
                static_cast<long>(at[at.size() - 1]) - static_cast<long>(at[at.size() - 2]);
            const bool kept = upper ? right >= diagonal : right <= diagonal;
            return kept ? self.operands[0].values[flat_of(at, x)] : 0.0;
        })};
    };
    return test;
}

void add_scatters(std::vector<OpCase>& cases) {
    using enum DataType;
    cases.push_back(scatter_elements_case({7}, 0, 3, Float32));
    cases.push_back(scatter_elements_case({3, 5}, 0, 2, Float16, Int64));
    cases.push_back(scatter_elements_case({3, 5, 2}, 1, 9, Int32, Uint32)); // equal indices
    cases.push_back(scatter_elements_case({2, 3, 4, 2}, 3, 1, Int64));
    cases.push_back(scatter_nd_case({7}, {3}, 1, Float32));
    cases.push_back(scatter_nd_case({4, 5, 3}, {2, 2}, 1, Int32, Int64));
    cases.push_back(scatter_nd_case({4, 5, 3}, {6}, 2, Float16, Uint32));
    cases.push_back(scatter_nd_case({4, 5, 3}, {}, 3, Uint8)); // a single element
}

void add_places(std::vector<OpCase>& cases) {
    using enum DataType;
    cases.push_back(reverse_case({7}, {0}, Float32));
    cases.push_back(reverse_case({3, 4, 5}, {0, 2}, Int32));
    cases.push_back(reverse_case({3, 4, 5}, {}, Float16));
    cases.push_back(reverse_case({2, 3, 1, 5}, {0, 1, 2, 3}, Uint8));
    cases.push_back(reverse_case({}, {}, Int64));
    cases.push_back(tile_case({3}, {4}, Float32));
    cases.push_back(tile_case({2, 3}, {3, 1}, Int8));
    cases.push_back(tile_case({2, 1, 3}, {2, 5, 2}, Float16));
    cases.push_back(tile_case({}, {}, Uint64));
    for (const bool upper : {false, true}) {
        for (const int diagonal : {-9, -1, 0, 2, 9}) {
            cases.push_back(triangular_case({4, 6}, upper, diagonal, Float32));
        }
        cases.push_back(triangular_case({2, 3, 5, 3}, upper, 1, Float16));
        cases.push_back(triangular_case({2, 4, 4}, upper, -1, Int64));
        cases.push_back(triangular_case({3, 1}, upper, 0, Uint8));
    }
    const int least = std::numeric_limits<int>::min();
    cases.push_back(triangular_case({3, 3}, true, least, Float32)); // keeps all
}

} // namespace

std::vector<OpCase> index_cases() {
    using enum DataType;
    std::vector<OpCase> cases;
    cases.push_back(gather_case({7}, {}, 0, Float32));
    cases.push_back(gather_case({7}, {5}, 0, Int8, Int64));
    cases.push_back(gather_case({3, 5, 4}, {2, 3}, 1, Float32, Uint32));
    cases.push_back(gather_case({3, 5, 4}, {2}, 2, Float16));
    cases.push_back(gather_case({3, 5, 4}, {4, 1, 2}, 0, Uint64, Int64));
    cases.push_back(gather_case({11, 13}, {17}, 0, Uint8));
    cases.push_back(gather_elements_case({7}, 0, 9, Float32));
    cases.push_back(gather_elements_case({3, 5}, 1, 2, Float16, Int64));
    cases.push_back(gather_elements_case({3, 5, 4}, 0, 6, Int32, Uint32));
    cases.push_back(gather_elements_case({2, 3, 1, 5}, 2, 4, Uint64));
    cases.push_back(gather_nd_case({7}, {3}, 1, Float32));
    cases.push_back(gather_nd_case({3, 5, 4}, {2, 3}, 1, Int8, Int64));
    cases.push_back(gather_nd_case({3, 5, 4}, {6}, 2, Float16, Uint32));
    cases.push_back(gather_nd_case({3, 5, 4}, {2, 2}, 3, Float32));
    cases.push_back(gather_nd_case({3, 5, 4}, {}, 3, Uint64)); // a scalar
    add_scatters(cases);
    add_places(cases);
    return cases;
}

} // namespace sluice::testing
