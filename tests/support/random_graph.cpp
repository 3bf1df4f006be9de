// SPDX-License-Identifier: Apache-2.0
// Grows a graph node by node from random operands that it has already.
#include "tests/support/random_graph.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/graph/builder.h"
#include "tests/core/ops_cases/case.h"
#include "tests/support/must.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::OperandId;
using graph::Shape;
using graph::TensorDesc;

constexpr std::size_t kMostElements = 3000;

// An operand that later nodes may take.
struct Grown {
    OperandId id;
    double bound; // no element is larger
    bool is_exact;
    bool is_used = false; // some node was tried on it
};

class Grower {
public:
    explicit Grower(std::uint64_t seed) : random_(std::format("random graph {}", seed)) {}

    [[nodiscard]] RandomGraph grow();

private:
    using Rule = void (Grower::*)();

    [[nodiscard]] std::uint32_t pick(std::uint32_t low, std::uint32_t high) {
        return random_.integer(low, high);
    }
    [[nodiscard]] bool chance(std::uint32_t one_in) { return pick(1, one_in) == 1; }
    [[nodiscard]] const TensorDesc& desc(OperandId id) const { return builder_.desc(id); }
    // A random operand that `fits`, or nothing.
    template <typename Fits>
    [[nodiscard]] std::optional<Grown> any(Fits&& fits);
    [[nodiscard]] std::optional<Grown> any_float(std::optional<std::size_t> rank = {});
    // Keeps what a method made; what it refused is no node.
    void keep(const Result<OperandId>& id, double bound, bool is_exact);
    // Of what moves elements, or mixes them with weights that add up to 1.
    void keep_moved(const Result<OperandId>& id, const Grown& x) { keep(id, x.bound, x.is_exact); }
    [[nodiscard]] OperandId constant(DataType type, const Shape& shape, double low, double high);

    void add_input();
    void unary();
    void binary();
    void whole_numbers();
    void compare_and_choose();
    void convolution();
    void transposed_convolution();
    void pooling();
    void product();
    void reduction();
    void move();
    void join();
    void index();
    void normalization();
    void recurrent();
    void resample();

    Random random_;
    graph::GraphBuilder builder_;
    std::vector<Grown> grown_;
    std::size_t inputs_ = 0;
};

// Half of the time one of the latest, so that long chains come about.
template <typename Fits>
std::optional<Grown> Grower::any(Fits&& fits) {
    std::vector<Grown*> found;
    for (Grown& grown : grown_) {
        if (fits(grown)) {
            found.push_back(&grown);
        }
    }
    if (found.empty()) {
        return std::nullopt;
    }
    const auto last = static_cast<std::uint32_t>(found.size()) - 1;
    Grown& picked = *found[pick(chance(2) ? last - std::min(last, 2U) : 0, last)];
    picked.is_used = true;
    return picked;
}

std::optional<Grown> Grower::any_float(std::optional<std::size_t> rank) {
    return any([&](const Grown& x) {
        return desc(x.id).type() == DataType::Float32 && (!rank || desc(x.id).rank() == *rank);
    });
}

void Grower::keep(const Result<OperandId>& id, double bound, bool is_exact) {
    if (!id || desc(*id).element_count() > kMostElements) {
        return;
    }
    grown_.push_back({.id = *id, .bound = bound, .is_exact = is_exact});
    if (bound > 20.0 && desc(*id).type() == DataType::Float32) {
        const ops::Activation clamp{.kind = ops::UnaryKind::Clamp, .alpha = -2.0, .beta = 2.0};
        const OperandId tamed = must(builder_.unary(clamp, *id));
        grown_.back() = {.id = tamed, .bound = 2.0, .is_exact = is_exact};
    }
}

OperandId Grower::constant(DataType type, const Shape& shape, double low, double high) {
    const CaseOperand values = random_operand(random_, type, shape, low, high);
    return must(builder_.constant(must(TensorDesc::create(type, shape)),
                                  graph::ConstantData::own(bytes_of(values))));
}

void Grower::add_input() {
    const bool is_picture = inputs_ == 0 || chance(2);
    Shape shape;
    const std::uint32_t rank = is_picture ? 4 : pick(0, 4);
    for (std::uint32_t axis = 0; axis < rank; ++axis) {
        shape.push_back(is_picture && axis == 0 ? 1 : pick(1, chance(3) ? 19 : 7));
    }
    const DataType type = inputs_ > 0 && chance(4) ? DataType::Int32 : DataType::Float32;
    const auto id =
        builder_.input(std::format("x{}", inputs_++), must(TensorDesc::create(type, shape)));
    grown_.push_back({.id = must(id), .bound = 1.0, .is_exact = true});
    if (chance(3)) { // what only depends on constants is folded
        grown_.push_back({.id = constant(type, shape, -1, 1), .bound = 1.0, .is_exact = true});
    }
}

// Functions with a slope of 1.5 at most.
void Grower::unary() {
    using enum ops::UnaryKind;
    static constexpr std::array kTame{Relu,     Sigmoid, Tanh, HardSigmoid, HardSwish, LeakyRelu,
                                      Elu,      Clamp,   Abs,  Neg,         Sin,       Cos,
                                      Softsign, Gelu,    Erf,  Identity,    Linear,    Softplus};
    if (const auto x = any_float()) {
        const ops::UnaryKind kind = kTame[pick(0, kTame.size() - 1)];
        const bool is_clamp = kind == Clamp;
        const ops::Activation function{
            .kind = kind, .alpha = is_clamp ? -0.5 : 0.5, .beta = is_clamp ? 0.75 : 0.25};
        keep(builder_.unary(function, x->id), x->bound + 1.0, false);
    }
}

void Grower::binary() {
    const auto a = any_float();
    const auto b = any_float();
    if (!a || !b) {
        return;
    }
    const double larger = std::max(a->bound, b->bound);
    switch (pick(0, 5)) {
    case 0: return keep(builder_.add(a->id, b->id), a->bound + b->bound, false);
    case 1: return keep(builder_.sub(a->id, b->id), a->bound + b->bound, false);
    case 2: return keep(builder_.mul(a->id, b->id), a->bound * b->bound, false);
    case 3: return keep(builder_.max(a->id, b->id), larger, a->is_exact && b->is_exact);
    case 4: return keep(builder_.min(a->id, b->id), larger, a->is_exact && b->is_exact);
    default: return keep(builder_.prelu(a->id, b->id), a->bound * (1.0 + b->bound), false);
    }
}

void Grower::whole_numbers() {
    const auto is_whole = [&](const Grown& x) { return desc(x.id).type() == DataType::Int32; };
    const auto a = any(is_whole);
    const auto b = any(is_whole);
    if (!a || !b) {
        return;
    }
    switch (pick(0, 5)) {
    case 0: return keep(builder_.add(a->id, b->id), 1.0, true);
    case 1: return keep(builder_.mul(a->id, b->id), 1.0, true);
    case 2: return keep(builder_.max(a->id, b->id), 1.0, true);
    case 3: return keep(builder_.cast(builder_.sign(a->id).value(), DataType::Float32), 1.0, true);
    case 4: return keep(builder_.reduce(ops::ReduceKind::Sum, a->id, {{0}}), 1.0, true);
    default: return keep(builder_.cumulative_sum(a->id, {.axis = 0}), 1.0, true);
    }
}

void Grower::compare_and_choose() {
    const auto is_exact = [&](const Grown& x) {
        return x.is_exact && desc(x.id).type() == DataType::Float32;
    };
    const auto a = any(is_exact);
    const auto b = any(is_exact);
    const auto x = any_float();
    const auto y = any_float();
    if (!a || !b || !x || !y) {
        return;
    }
    if (chance(4) && desc(a->id).rank() > 0) {
        const auto axis = pick(0, static_cast<std::uint32_t>(desc(a->id).rank()) - 1);
        return keep(builder_.arg_min_max(a->id, {.axis = axis}), 1.0, true);
    }
    const auto condition = builder_.greater(a->id, b->id);
    if (condition) {
        keep(builder_.where(*condition, x->id, y->id), std::max(x->bound, y->bound),
             x->is_exact && y->is_exact);
    }
}

void Grower::convolution() {
    const auto x = any_float(4);
    if (!x) {
        return;
    }
    ops::Conv2d op;
    const bool nhwc = chance(2);
    op.input_layout = nhwc ? ops::InputLayout::Nhwc : ops::InputLayout::Nchw;
    const std::uint32_t channels = desc(x->id).shape()[nhwc ? 3 : 1];
    const bool depthwise = chance(3);
    op.groups = depthwise ? channels : 1;
    const std::uint32_t outputs = depthwise ? channels : pick(1, 8);
    const std::uint32_t size = pick(1, 3);
    op.padding = {pick(0, 1), pick(0, 1), pick(0, 1), pick(0, 1)};
    op.strides = {pick(1, 2), pick(1, 2)};
    op.dilations = {1, pick(1, 2)};
    const std::uint32_t inner = depthwise ? 1 : channels;
    op.filter_layout =
        nhwc ? (depthwise ? ops::Conv2dFilterLayout::Ihwo : ops::Conv2dFilterLayout::Ohwi)
             : ops::Conv2dFilterLayout::Oihw;
    const Shape filter = !nhwc       ? Shape{outputs, inner, size, size}
                         : depthwise ? Shape{1, size, size, outputs}
                                     : Shape{outputs, size, size, inner};
    const double weight = 1.5 / (size * size * inner);
    std::optional<OperandId> bias;
    if (chance(2)) {
        bias = constant(DataType::Float32, {outputs}, -0.5, 0.5);
    }
    const auto y =
        builder_.conv2d(x->id, constant(DataType::Float32, filter, -weight, weight), op, bias);
    keep(y, 1.5 * x->bound + 0.5, false);
    if (y && chance(2)) { // what fusion looks for: a residual and an activation
        const auto residual =
            any([&](const Grown& other) { return other.id != *y && desc(other.id) == desc(*y); });
        const auto sum = residual ? builder_.add(*y, residual->id) : *y;
        keep(builder_.relu(must(sum)), 3.0 * x->bound + 20.0, false);
    }
}

void Grower::transposed_convolution() {
    if (const auto x = any_float(4)) {
        ops::ConvTranspose2d op;
        op.strides = {pick(1, 2), pick(1, 2)};
        const std::uint32_t channels = desc(x->id).shape()[1];
        const Shape filter{channels, pick(1, 4), 2, 2};
        const double weight = 1.5 / (4 * channels);
        keep(builder_.conv_transpose2d(x->id, constant(DataType::Float32, filter, -weight, weight),
                                       op),
             1.5 * x->bound, false);
    }
}

void Grower::pooling() {
    if (const auto x = any_float(4)) {
        ops::Pool2d op;
        op.kind = static_cast<ops::PoolKind>(pick(0, 2));
        op.window = {pick(1, 3), pick(1, 3)};
        op.strides = {pick(1, 2), pick(1, 2)};
        op.layout = chance(2) ? ops::InputLayout::Nhwc : ops::InputLayout::Nchw;
        const bool is_max = op.kind == ops::PoolKind::Max;
        keep(builder_.pool2d(x->id, op), 3.0 * x->bound, is_max && x->is_exact);
    }
}

void Grower::product() {
    if (const auto a = any_float(2)) {
        const Shape shape = desc(a->id).shape();
        const std::uint32_t columns = pick(1, 9);
        const double weight = 1.5 / shape[1];
        const OperandId b = constant(DataType::Float32, {shape[1], columns}, -weight, weight);
        if (chance(2)) {
            return keep(builder_.matmul(a->id, b), 1.5 * a->bound, false);
        }
        const OperandId c = constant(DataType::Float32, {columns}, -0.5, 0.5);
        const auto y = builder_.gemm(a->id, b, {}, c);
        keep(chance(2) && y ? builder_.relu(*y) : y, 1.5 * a->bound + 0.5, false);
    }
}

void Grower::reduction() {
    const auto x = any_float();
    if (!x || desc(x->id).rank() == 0) {
        return;
    }
    const auto axis = pick(0, static_cast<std::uint32_t>(desc(x->id).rank()) - 1);
    const double size = desc(x->id).shape()[axis];
    using enum ops::ReduceKind;
    switch (pick(0, 4)) {
    case 0: return keep(builder_.softmax(x->id, axis), 1.0, false);
    case 1: return keep(builder_.reduce(Mean, x->id, {{axis}}, chance(2)), x->bound, false);
    case 2: return keep_moved(builder_.reduce(Max, x->id, {{axis}}, chance(2)), *x);
    case 3: return keep(builder_.reduce(L2, x->id, {{axis}}, true), x->bound * size, false);
    default:
        return keep(builder_.cumulative_sum(x->id, {.axis = axis, .reversed = chance(2)}),
                    x->bound * size, false);
    }
}

void Grower::move() {
    const auto x = any([](const Grown&) { return true; });
    const Shape shape = desc(x->id).shape();
    const auto rank = static_cast<std::uint32_t>(shape.rank());
    if (rank == 0) {
        return keep_moved(builder_.expand(x->id, {pick(1, 3), pick(1, 3)}), *x);
    }
    const std::uint32_t axis = pick(0, rank - 1);
    switch (pick(0, 6)) {
    case 0: {
        std::vector<std::uint32_t> order(rank);
        std::iota(order.begin(), order.end(), 0U);
        std::swap(order[axis], order[pick(0, rank - 1)]);
        return keep_moved(builder_.transpose(x->id, order), *x);
    }
    case 1: { // to a matrix
        std::uint32_t rows = 1;
        for (std::uint32_t i = 0; i < axis; ++i) {
            rows *= shape[i];
        }
        const auto columns = static_cast<std::uint32_t>(shape.element_count()) / rows;
        return keep_moved(builder_.reshape(x->id, {rows, columns}), *x);
    }
    case 2: {
        ops::Slice op{.starts = std::vector<std::uint32_t>(rank),
                      .sizes = {shape.begin(), shape.end()},
                      .strides = std::vector<std::uint32_t>(rank, 1)};
        op.starts[axis] = pick(0, shape[axis] - 1);
        op.sizes[axis] = pick(1, shape[axis] - op.starts[axis]);
        op.strides[axis] = pick(1, 2);
        return keep_moved(builder_.slice(x->id, op), *x);
    }
    case 3: {
        ops::Pad op{.beginning = std::vector<std::uint32_t>(rank),
                    .ending = std::vector<std::uint32_t>(rank),
                    .mode = static_cast<ops::PaddingMode>(pick(0, 2))};
        op.beginning[axis] = pick(0, 2);
        op.ending[pick(0, rank - 1)] = pick(0, 2);
        return keep_moved(builder_.pad(x->id, op), *x);
    }
    case 4: return keep_moved(builder_.reverse(x->id, {{axis}}), *x);
    case 5: {
        std::vector<std::uint32_t> repetitions(rank, 1);
        repetitions[axis] = pick(1, 3);
        return keep_moved(builder_.tile(x->id, repetitions), *x);
    }
    default: return keep_moved(builder_.triangular(x->id, {.upper = chance(2)}), *x);
    }
}

void Grower::join() {
    const auto x = any([&](const Grown& one) { return desc(one.id).rank() > 0; });
    const Shape shape = desc(x->id).shape();
    const std::uint32_t axis = pick(0, static_cast<std::uint32_t>(shape.rank()) - 1);
    const auto other = any([&](const Grown& one) { return desc(one.id) == desc(x->id); });
    keep(builder_.concat(std::array{x->id, other->id}, axis), std::max(x->bound, other->bound),
         x->is_exact && other->is_exact);
    if (shape[axis] > 1) {
        const std::uint32_t first = pick(1, shape[axis] - 1);
        for (const OperandId piece :
             must(builder_.split(x->id, {.sizes = {first, shape[axis] - first}, .axis = axis}))) {
            keep_moved(piece, *x);
        }
    }
}

void Grower::index() {
    const auto x = any([&](const Grown& one) { return desc(one.id).rank() > 0; });
    const std::uint32_t axis = pick(0, static_cast<std::uint32_t>(desc(x->id).rank()) - 1);
    const OperandId indices = constant(DataType::Int32, {pick(1, 4)}, -9, 9);
    switch (pick(0, 2)) {
    case 0: return keep_moved(builder_.gather(x->id, indices, axis), *x);
    case 1: {
        Shape picks = desc(x->id).shape();
        picks[axis] = pick(1, 4);
        return keep_moved(
            builder_.gather_elements(x->id, constant(DataType::Int32, picks, -9, 9), axis), *x);
    }
    default: {
        const OperandId tuples = constant(DataType::Int32, {pick(1, 4), 1}, -9, 9);
        const auto updates = builder_.gather_nd(x->id, tuples);
        const OperandId places = constant(DataType::Int32, desc(tuples).shape(), -9, 9);
        if (updates) {
            keep_moved(builder_.scatter_nd(x->id, places, *updates), *x);
        }
    }
    }
}

void Grower::normalization() {
    const auto x = any_float();
    if (!x || desc(x->id).rank() == 0) {
        return;
    }
    const Shape shape = desc(x->id).shape();
    const std::uint32_t axis = pick(0, static_cast<std::uint32_t>(shape.rank()) - 1);
    const Shape one{shape[axis]};
    const auto weights = [&] { return constant(DataType::Float32, one, 0.5, 1.0); };
    constexpr double kEpsilon = 0.1; // a small one would multiply roundings
    switch (pick(0, 2)) {
    case 0:
        return keep(builder_.layer_normalization(x->id, {{axis}}, kEpsilon,
                                                 {.scale = weights(), .bias = weights()}),
                    4.0, false);
    case 1: return keep(builder_.instance_normalization(x->id, {.epsilon = kEpsilon}), 9.0, false);
    default:
        return keep(builder_.batch_normalization(x->id, weights(), weights(),
                                                 {.axis = axis, .epsilon = kEpsilon},
                                                 {.scale = weights()}),
                    1.5 * x->bound + 2.0, false);
    }
}

void Grower::recurrent() {
    const auto x = any_float(3);
    if (!x) {
        return;
    }
    const Shape shape = desc(x->id).shape();
    constexpr std::uint32_t kHidden = 3;
    const double weight = 0.5 / shape[2];
    const auto direction = static_cast<ops::Direction>(pick(0, 2));
    const std::uint32_t directions = ops::directions(direction);
    const auto weights = [&](std::uint32_t gates, std::uint32_t columns) {
        return constant(DataType::Float32, {directions, gates * kHidden, columns}, -weight, weight);
    };
    Result<std::vector<OperandId>> outputs;
    if (chance(2)) {
        outputs = builder_.gru(x->id, weights(3, shape[2]), weights(3, kHidden),
                               {.steps = shape[0],
                                .hidden_size = kHidden,
                                .return_sequence = chance(2),
                                .direction = direction});
    } else {
        outputs = builder_.lstm(x->id, weights(4, shape[2]), weights(4, kHidden),
                                {.steps = shape[0],
                                 .hidden_size = kHidden,
                                 .return_sequence = chance(2),
                                 .direction = direction});
    }
    for (const OperandId id : must(outputs)) {
        keep(id, shape[0], false);
    }
}

void Grower::resample() {
    if (const auto x = any_float(4)) {
        ops::Resample2d op;
        op.mode = chance(2) ? ops::Interpolation::Linear : ops::Interpolation::Nearest;
        op.axes = chance(2) ? std::array{2U, 3U} : std::array{1U, 2U};
        op.sizes = {pick(1, 9), pick(1, 9)};
        const bool nearest = op.mode == ops::Interpolation::Nearest;
        keep(builder_.resample2d(x->id, op), x->bound, nearest && x->is_exact);
    }
}

RandomGraph Grower::grow() {
    static constexpr std::array<Rule, 16> kRules{
        &Grower::unary,         &Grower::unary,       &Grower::binary,
        &Grower::whole_numbers, &Grower::convolution, &Grower::convolution,
        &Grower::pooling,       &Grower::product,     &Grower::reduction,
        &Grower::move,          &Grower::move,        &Grower::join,
        &Grower::index,         &Grower::resample,    &Grower::compare_and_choose,
        &Grower::normalization};
    for (std::uint32_t i = pick(1, 3); i > 0; --i) {
        add_input();
    }
    for (std::uint32_t i = pick(4, 16); i > 0; --i) {
        (this->*kRules[pick(0, kRules.size() - 1)])();
        if (chance(8)) {
            recurrent();
        }
        if (chance(8)) {
            transposed_convolution();
        }
    }
    // What no node reads, so that every chain counts; copies, for inputs are no outputs.
    std::vector<graph::NamedOperand> outputs;
    std::map<std::string, bool> is_exact;
    for (const Grown& grown : grown_) {
        if (grown.is_used && grown.id != grown_.back().id) {
            continue;
        }
        const std::string name = std::format("y{}", outputs.size());
        outputs.push_back({.name = name, .id = must(builder_.identity(grown.id))});
        is_exact[name] = grown.is_exact;
    }
    return {.graph = must(builder_.build(std::move(outputs))), .is_exact = std::move(is_exact)};
}

} // namespace

RandomGraph random_graph(std::uint64_t seed) {
    return Grower(seed).grow();
}

} // namespace sluice::testing
