// SPDX-License-Identifier: Apache-2.0
// The loops of lstm and lstm_cell.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/reference/recurrent.h"

namespace sluice::reference {

struct LstmKernel {
    RecurrentShape shape;
    // Of the gates, of the cell's candidate, of the cell on its way out.
    std::array<ops::RecurrentActivation, 3> activations;
    std::size_t input_gate, output_gate, forget_gate, cell_gate;          // places among the four
    std::size_t bias, recurrent_bias, peephole, hidden_state, cell_state; // inputs of the node
    bool return_sequence;

    // The hidden and the cell state before and after a step.
    template <typename T>
    [[nodiscard]] std::size_t scratch_bytes() const {
        return 4 * shape.state() * sizeof(T);
    }
    template <typename T>
    void run(const runtime::KernelIo& io) const;

private:
    // The operands of one direction.
    template <typename T>
    struct Weights {
        const T* weight;
        const T* recurrent_weight;
        const T* bias;
        const T* recurrent_bias;
        const T* peephole; // of the gates i, o, f
    };

    // Gate `gate` of hidden unit `j` before its activation and without its peephole.
    template <typename T>
    [[nodiscard]] double sum(const Weights<T>& w, const T* x, const T* h, std::size_t gate,
                             std::size_t j) const {
        const std::size_t row = gate * shape.hidden + j;
        return dot(w.weight + row * shape.input, x, shape.input) + element_or_zero(w.bias, row) +
               dot(w.recurrent_weight + row * shape.hidden, h, shape.hidden) +
               element_or_zero(w.recurrent_bias, row);
    }
    // One step of one picture of the batch.
    template <typename T>
    void step(const Weights<T>& w, const T* x, const T* h, const T* cell, T* next_h,
              T* next_cell) const;
};

template <typename T>
void LstmKernel::step(const Weights<T>& w, const T* x, const T* h, const T* cell, T* next_h,
                      T* next_cell) const {
    for (std::size_t j = 0; j < shape.hidden; ++j) {
        // A gate looks through its peephole at the cell as it was.
        const auto gate = [&](std::size_t which, std::size_t peephole_row) {
            const double seen =
                element_or_zero(w.peephole, peephole_row * shape.hidden + j) * widen(cell[j]);
            return activate(activations[0], sum(w, x, h, which, j) + seen);
        };
        const double candidate = activate(activations[1], sum(w, x, h, cell_gate, j));
        const double fresh =
            gate(forget_gate, 2) * widen(cell[j]) + gate(input_gate, 0) * candidate;
        next_cell[j] = narrow<T>(fresh);
        next_h[j] = narrow<T>(gate(output_gate, 1) * activate(activations[2], fresh));
    }
}

template <typename T>
void LstmKernel::run(const runtime::KernelIo& io) const {
    const std::size_t size = shape.state();
    std::array<T*, 2> hidden{reinterpret_cast<T*>(io.scratch),
                             reinterpret_cast<T*>(io.scratch) + size};
    std::array<T*, 2> cell{hidden[1] + size, hidden[1] + 2 * size};
    const std::size_t rows = 4 * shape.hidden;
    for (std::size_t d = 0; d < shape.directions; ++d) {
        const Weights<T> w{.weight = io.input<T>(1) + d * rows * shape.input,
                           .recurrent_weight = io.input<T>(2) + d * rows * shape.hidden,
                           .bias = part_of<T>(io, bias, d, rows),
                           .recurrent_bias = part_of<T>(io, recurrent_bias, d, rows),
                           .peephole = part_of<T>(io, peephole, d, 3 * shape.hidden)};
        const T* initial_hidden = part_of<T>(io, hidden_state, d, size);
        const T* initial_cell = part_of<T>(io, cell_state, d, size);
        for (std::size_t i = 0; i < size; ++i) {
            hidden[0][i] = initial_hidden == nullptr ? T{} : initial_hidden[i];
            cell[0][i] = initial_cell == nullptr ? T{} : initial_cell[i];
        }
        for (std::size_t turn = 0; turn < shape.steps; ++turn) {
            const std::size_t t = shape.step(d, turn);
            for (std::size_t n = 0; n < shape.batch; ++n) {
                const std::size_t at = n * shape.hidden;
                step(w, io.input<T>(0) + (t * shape.batch + n) * shape.input, hidden[0] + at,
                     cell[0] + at, hidden[1] + at, cell[1] + at);
            }
            if (return_sequence) {
                std::copy_n(hidden[1], size, io.output<T>(2) + (t * shape.directions + d) * size);
            }
            std::swap(hidden[0], hidden[1]);
            std::swap(cell[0], cell[1]);
        }
        std::copy_n(hidden[0], size, io.output<T>(0) + d * size);
        std::copy_n(cell[0], size, io.output<T>(1) + d * size);
    }
}

// Places of the gates in weights and biases.
[[nodiscard]] inline LstmKernel with_gates(LstmKernel lstm, ops::LstmLayout layout) {
    const bool iofg = layout == ops::LstmLayout::Iofg;
    lstm.input_gate = 0;
    lstm.output_gate = iofg ? 1 : 3;
    lstm.forget_gate = iofg ? 2 : 1;
    lstm.cell_gate = iofg ? 3 : 2;
    return lstm;
}

[[nodiscard]] inline Result<std::unique_ptr<runtime::Kernel>> make_lstm(graph::DataType type,
                                                                        const LstmKernel& lstm) {
    SLUICE_TRY(require_float(type));
    return make_kernel(
        [=](const runtime::KernelIo& io) {
            visit_float(type, [&]<typename T>(std::type_identity<T>) { lstm.run<T>(io); });
        },
        lstm.scratch_bytes<float>());
}

} // namespace sluice::reference
