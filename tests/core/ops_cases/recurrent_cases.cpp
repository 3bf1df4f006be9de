// SPDX-License-Identifier: Apache-2.0
// gru and lstm and their cells, worked out from the equations gate by gate.
#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;
using ops::RecurrentActivation;
using Vector = std::vector<double>;

double activated(RecurrentActivation function, double x) {
    switch (function) {
    case RecurrentActivation::Relu: return std::max(x, 0.0);
    case RecurrentActivation::Sigmoid: return 1.0 / (1.0 + std::exp(-x));
    case RecurrentActivation::Tanh: return std::tanh(x);
    }
    return x;
}

// A network of one direction: the weights of each gate by its letter, in the layout's order.
struct Network {
    std::string gates; // "zrn", "iofg"
    std::size_t input, hidden;
    Vector weight, recurrent_weight, bias, recurrent_bias, peephole;

    // Row j of gate `gate` times x, and the bias.
    [[nodiscard]] double of_input(char gate, std::size_t j, const Vector& x) const {
        return product(weight, bias, row(gate, j), x);
    }
    [[nodiscard]] double of_state(char gate, std::size_t j, const Vector& h) const {
        return product(recurrent_weight, recurrent_bias, row(gate, j), h);
    }
    [[nodiscard]] double of_cell(char gate, std::size_t j, const Vector& cell) const {
        return peephole.empty() ? 0.0
                                : peephole[std::string("iof").find(gate) * hidden + j] * cell[j];
    }

private:
    [[nodiscard]] std::size_t row(char gate, std::size_t j) const {
        return gates.find(gate) * hidden + j;
    }
    static double product(const Vector& matrix, const Vector& bias, std::size_t row,
                          const Vector& x) {
        double sum = bias.empty() ? 0.0 : bias[row];
        for (std::size_t k = 0; k < x.size(); ++k) {
            sum += matrix[row * x.size() + k] * x[k];
        }
        return sum;
    }
};

// h and c of one picture.
struct State {
    Vector h;
    Vector c;
};

template <typename Op>
State gru_step(const Op& op, const Network& net, const Vector& x, const State& before) {
    State after = before;
    Vector reset(net.hidden);
    for (std::size_t j = 0; j < net.hidden; ++j) {
        reset[j] =
            activated(op.activations[0], net.of_input('r', j, x) + net.of_state('r', j, before.h));
    }
    Vector masked = before.h;
    for (std::size_t j = 0; j < net.hidden; ++j) {
        masked[j] *= reset[j];
    }
    for (std::size_t j = 0; j < net.hidden; ++j) {
        const double z =
            activated(op.activations[0], net.of_input('z', j, x) + net.of_state('z', j, before.h));
        const double recurrent = op.reset_after ? reset[j] * net.of_state('n', j, before.h)
                                                : net.of_state('n', j, masked);
        const double n = activated(op.activations[1], net.of_input('n', j, x) + recurrent);
        after.h[j] = z * before.h[j] + (1.0 - z) * n;
    }
    return after;
}

template <typename Op>
State lstm_step(const Op& op, const Network& net, const Vector& x, const State& before) {
    State after = before;
    for (std::size_t j = 0; j < net.hidden; ++j) {
        std::map<char, double> sum;
        for (const char gate : std::string("iofg")) {
            sum[gate] = net.of_input(gate, j, x) + net.of_state(gate, j, before.h);
            if (gate != 'g') {
                sum[gate] =
                    activated(op.activations[0], sum[gate] + net.of_cell(gate, j, before.c));
            }
        }
        after.c[j] = sum['f'] * before.c[j] + sum['i'] * activated(op.activations[1], sum['g']);
        after.h[j] = sum['o'] * activated(op.activations[2], after.c[j]);
    }
    return after;
}

template <typename Op>
State step(const Op& op, const Network& net, const Vector& x, const State& before) {
    if constexpr (requires { op.reset_after; }) {
        return gru_step(op, net, x, before);
    } else {
        return lstm_step(op, net, x, before);
    }
}

// Where in a tensor the part of one direction, step or picture lies.
Vector part(const Vector& values, std::size_t which, std::size_t size) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(which * size);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

struct Sizes {
    std::size_t steps, directions, batch, input, hidden;
};

// The operands of a case by name, as far as it has them.
using Named = std::map<std::string, Vector>;

template <typename Op>
std::vector<Expected> expected_of(const Op& op, const Sizes& s, const std::string& gates,
                                  bool backward, bool has_cell, const Named& operands) {
    const auto of = [&](const std::string& name, std::size_t which, std::size_t size) {
        const auto found = operands.find(name);
        return found == operands.end() ? Vector{} : part(found->second, which, size);
    };
    Vector last_h;
    Vector last_c;
    Vector sequence(s.steps * s.directions * s.batch * s.hidden);
    const std::size_t rows = gates.size() * s.hidden;
    for (std::size_t d = 0; d < s.directions; ++d) {
        const Network net{.gates = gates,
                          .input = s.input,
                          .hidden = s.hidden,
                          .weight = of("weight", d, rows * s.input),
                          .recurrent_weight = of("recurrent_weight", d, rows * s.hidden),
                          .bias = of("bias", d, rows),
                          .recurrent_bias = of("recurrent_bias", d, rows),
                          .peephole = of("peephole_weight", d, 3 * s.hidden)};
        for (std::size_t n = 0; n < s.batch; ++n) {
            State state{.h = of("hidden_state", d * s.batch + n, s.hidden),
                        .c = of("cell_state", d * s.batch + n, s.hidden)};
            state.h.resize(s.hidden);
            state.c.resize(s.hidden);
            for (std::size_t turn = 0; turn < s.steps; ++turn) {
                const std::size_t t = backward || d == 1 ? s.steps - 1 - turn : turn;
                state = step(op, net, of("input", t * s.batch + n, s.input), state);
                for (std::size_t j = 0; j < s.hidden; ++j) {
                    sequence[((t * s.directions + d) * s.batch + n) * s.hidden + j] = state.h[j];
                }
            }
            last_h.insert(last_h.end(), state.h.begin(), state.h.end());
            last_c.insert(last_c.end(), state.c.begin(), state.c.end());
        }
    }
    std::vector<Vector> outputs{last_h};
    if (has_cell) {
        outputs.push_back(last_c);
    }
    if constexpr (requires { op.return_sequence; }) {
        if (op.return_sequence) {
            outputs.push_back(sequence);
        }
    }
    std::vector<Expected> out;
    for (const Vector& values : outputs) {
        out.push_back({.values = values, .magnitudes = Vector(values.size(), 1.0)});
    }
    return out;
}

struct Operand {
    bool has;
    std::string name;
    Shape shape;
};

// A case of these operands; `gates` spells the layout.
template <typename Op>
OpCase recurrent_case(const std::string& name, const Op& op, const Sizes& sizes,
                      const std::string& gates, const std::vector<Operand>& operands,
                      DataType type) {
    OpCase test;
    test.name = std::format("{}/{}_{}", Op::kName, name, graph::name(type));
    test.attributes = op;
    Random random(test.name);
    std::vector<std::string> names;
    for (const Operand& operand : operands) {
        if (operand.has) {
            names.push_back(operand.name);
            test.operands.push_back(random_operand(random, type, operand.shape, -0.8, 0.8));
        }
    }
    const bool half = type == DataType::Float16;
    test.absolute = half ? 4e-3 : 2e-6; // a float16 state is rounded at every step
    test.relative = half ? 4e-3 : 2e-6;
    test.on_cpu = false;
    const bool backward = [&op] {
        if constexpr (requires { op.direction; }) {
            return op.direction == ops::Direction::Backward;
        }
        return false;
    }();
    test.expected = [=](const OpCase& self) {
        Named named;
        for (std::size_t i = 0; i < names.size(); ++i) {
            named[names[i]] = self.operands[i].values;
        }
        return expected_of(op, sizes, gates, backward, gates.size() == 4, named);
    };
    return test;
}

std::uint32_t u(std::size_t value) {
    return static_cast<std::uint32_t>(value);
}

OpCase gru_case(const std::string& name, ops::Gru op, Sizes s, DataType type = DataType::Float32) {
    s.directions = ops::directions(op.direction);
    op.steps = u(s.steps);
    op.hidden_size = u(s.hidden);
    const std::uint32_t d = u(s.directions);
    const std::uint32_t rows = 3 * op.hidden_size;
    return recurrent_case(
        name, op, s, op.layout == ops::GruLayout::Zrn ? "zrn" : "rzn",
        {{true, "input", {op.steps, u(s.batch), u(s.input)}},
         {true, "weight", {d, rows, u(s.input)}},
         {true, "recurrent_weight", {d, rows, op.hidden_size}},
         {op.has_bias, "bias", {d, rows}},
         {op.has_recurrent_bias, "recurrent_bias", {d, rows}},
         {op.has_initial_hidden_state, "hidden_state", {d, u(s.batch), op.hidden_size}}},
        type);
}

OpCase gru_cell_case(const std::string& name, ops::GruCell op, const Sizes& s,
                     DataType type = DataType::Float32) {
    op.hidden_size = u(s.hidden);
    const std::uint32_t rows = 3 * op.hidden_size;
    return recurrent_case(name, op, s, op.layout == ops::GruLayout::Zrn ? "zrn" : "rzn",
                          {{true, "input", {u(s.batch), u(s.input)}},
                           {true, "weight", {rows, u(s.input)}},
                           {true, "recurrent_weight", {rows, op.hidden_size}},
                           {true, "hidden_state", {u(s.batch), op.hidden_size}},
                           {op.has_bias, "bias", {rows}},
                           {op.has_recurrent_bias, "recurrent_bias", {rows}}},
                          type);
}

OpCase lstm_case(const std::string& name, ops::Lstm op, Sizes s,
                 DataType type = DataType::Float32) {
    s.directions = ops::directions(op.direction);
    op.steps = u(s.steps);
    op.hidden_size = u(s.hidden);
    const std::uint32_t d = u(s.directions);
    const std::uint32_t rows = 4 * op.hidden_size;
    const Shape state{d, u(s.batch), op.hidden_size};
    return recurrent_case(name, op, s, op.layout == ops::LstmLayout::Iofg ? "iofg" : "ifgo",
                          {{true, "input", {op.steps, u(s.batch), u(s.input)}},
                           {true, "weight", {d, rows, u(s.input)}},
                           {true, "recurrent_weight", {d, rows, op.hidden_size}},
                           {op.has_bias, "bias", {d, rows}},
                           {op.has_recurrent_bias, "recurrent_bias", {d, rows}},
                           {op.has_peephole_weight, "peephole_weight", {d, 3 * op.hidden_size}},
                           {op.has_initial_hidden_state, "hidden_state", state},
                           {op.has_initial_cell_state, "cell_state", state}},
                          type);
}

OpCase lstm_cell_case(const std::string& name, ops::LstmCell op, const Sizes& s,
                      DataType type = DataType::Float32) {
    op.hidden_size = u(s.hidden);
    const std::uint32_t rows = 4 * op.hidden_size;
    const Shape state{u(s.batch), op.hidden_size};
    return recurrent_case(name, op, s, op.layout == ops::LstmLayout::Iofg ? "iofg" : "ifgo",
                          {{true, "input", {u(s.batch), u(s.input)}},
                           {true, "weight", {rows, u(s.input)}},
                           {true, "recurrent_weight", {rows, op.hidden_size}},
                           {true, "hidden_state", state},
                           {true, "cell_state", state},
                           {op.has_bias, "bias", {rows}},
                           {op.has_recurrent_bias, "recurrent_bias", {rows}},
                           {op.has_peephole_weight, "peephole_weight", {3 * op.hidden_size}}},
                          type);
}

constexpr Sizes kSequence{.steps = 4, .directions = 1, .batch = 3, .input = 5, .hidden = 7};
constexpr Sizes kOneStep{.steps = 1, .directions = 1, .batch = 2, .input = 3, .hidden = 5};

void add_gru(std::vector<OpCase>& cases) {
    using enum ops::Direction;
    using enum RecurrentActivation;
    const ops::Gru full{.return_sequence = true,
                        .has_bias = true,
                        .has_recurrent_bias = true,
                        .has_initial_hidden_state = true};
    cases.push_back(gru_case("plain", {}, kSequence));
    for (const ops::Direction direction : {Forward, Backward, Both}) {
        ops::Gru op = full;
        op.direction = direction;
        cases.push_back(gru_case(std::format("full_{}", ops::name(direction)), op, kSequence));
        op.reset_after = false;
        op.layout = ops::GruLayout::Rzn;
        op.has_bias = false;
        cases.push_back(
            gru_case(std::format("reset_before_rzn_{}", ops::name(direction)), op, kSequence));
    }
    ops::Gru relu = full;
    relu.activations = {Relu, Sigmoid};
    cases.push_back(gru_case("relu_sigmoid", relu, kOneStep));
    cases.push_back(gru_case("full", full, kSequence, DataType::Float16));
    cases.push_back(gru_cell_case("plain", {}, kOneStep));
    cases.push_back(gru_cell_case("biased_rzn",
                                  {.reset_after = false,
                                   .layout = ops::GruLayout::Rzn,
                                   .has_bias = true,
                                   .has_recurrent_bias = true},
                                  kOneStep));
    cases.push_back(gru_cell_case("recurrent_bias_relu",
                                  {.activations = {Sigmoid, Relu}, .has_recurrent_bias = true},
                                  kOneStep, DataType::Float16));
}

void add_lstm(std::vector<OpCase>& cases) {
    using enum ops::Direction;
    using enum RecurrentActivation;
    const ops::Lstm full{.return_sequence = true,
                         .has_bias = true,
                         .has_recurrent_bias = true,
                         .has_peephole_weight = true,
                         .has_initial_hidden_state = true,
                         .has_initial_cell_state = true};
    cases.push_back(lstm_case("plain", {}, kSequence));
    for (const ops::Direction direction : {Forward, Backward, Both}) {
        ops::Lstm op = full;
        op.direction = direction;
        cases.push_back(lstm_case(std::format("full_{}", ops::name(direction)), op, kSequence));
        op.layout = ops::LstmLayout::Ifgo;
        op.has_recurrent_bias = false;
        op.has_initial_hidden_state = false;
        op.return_sequence = false;
        cases.push_back(
            lstm_case(std::format("some_ifgo_{}", ops::name(direction)), op, kSequence));
    }
    ops::Lstm relu = full;
    relu.activations = {Tanh, Relu, Sigmoid};
    cases.push_back(lstm_case("tanh_relu_sigmoid", relu, kOneStep));
    cases.push_back(lstm_case("full", full, kSequence, DataType::Float16));
    cases.push_back(lstm_cell_case("plain", {}, kOneStep));
    cases.push_back(lstm_cell_case("full_ifgo",
                                   {.layout = ops::LstmLayout::Ifgo,
                                    .has_bias = true,
                                    .has_recurrent_bias = true,
                                    .has_peephole_weight = true},
                                   kOneStep));
    cases.push_back(
        lstm_cell_case("peephole", {.has_peephole_weight = true}, kOneStep, DataType::Float16));
}

} // namespace

std::vector<OpCase> recurrent_cases() {
    std::vector<OpCase> cases;
    add_gru(cases);
    add_lstm(cases);
    return cases;
}

} // namespace sluice::testing
