// SPDX-License-Identifier: Apache-2.0
// The loops of gru and gru_cell.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/reference/recurrent.h"

namespace sluice::reference {

struct GruKernel {
    RecurrentShape shape;
    std::array<ops::RecurrentActivation, 2> activations; // of the gates, of the new state
    bool reset_after;
    std::size_t update_gate, reset_gate;     // places among the three; the new state is the last
    std::size_t bias, recurrent_bias, state; // inputs of the node
    bool return_sequence;

    // The hidden state before and after a step, and the gated one in between.
    template <typename T>
    [[nodiscard]] std::size_t scratch_bytes() const {
        return 3 * shape.state() * sizeof(T);
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
    };

    // Gate `gate` of hidden unit `j` before its activation: the part of the input, and the part of
    // the state.
    template <typename T>
    [[nodiscard]] double from_input(const Weights<T>& w, const T* x, std::size_t gate,
                                    std::size_t j) const {
        const std::size_t row = gate * shape.hidden + j;
        return dot(w.weight + row * shape.input, x, shape.input) + element_or_zero(w.bias, row);
    }
    template <typename T>
    [[nodiscard]] double from_state(const Weights<T>& w, const T* h, std::size_t gate,
                                    std::size_t j) const {
        const std::size_t row = gate * shape.hidden + j;
        return dot(w.recurrent_weight + row * shape.hidden, h, shape.hidden) +
               element_or_zero(w.recurrent_bias, row);
    }
    // One step of one picture of the batch; `gated` holds as much as the state.
    template <typename T>
    void step(const Weights<T>& w, const T* x, const T* h, T* gated, T* next) const;
};

template <typename T>
void GruKernel::step(const Weights<T>& w, const T* x, const T* h, T* gated, T* next) const {
    const auto gate = [&](std::size_t which, std::size_t j) {
        return activate(activations[0], from_input(w, x, which, j) + from_state(w, h, which, j));
    };
    if (!reset_after) {
        for (std::size_t j = 0; j < shape.hidden; ++j) {
            gated[j] = narrow<T>(gate(reset_gate, j) * widen(h[j]));
        }
    }
    for (std::size_t j = 0; j < shape.hidden; ++j) {
        const double recurrent =
            reset_after ? gate(reset_gate, j) * from_state(w, h, 2, j) : from_state(w, gated, 2, j);
        const double fresh = activate(activations[1], from_input(w, x, 2, j) + recurrent);
        const double update = gate(update_gate, j);
        next[j] = narrow<T>(update * widen(h[j]) + (1.0 - update) * fresh);
    }
}

template <typename T>
void GruKernel::run(const runtime::KernelIo& io) const {
    T* before = reinterpret_cast<T*>(io.scratch);
    T* after = before + shape.state();
    T* gated = after + shape.state();
    const std::size_t rows = 3 * shape.hidden;
    for (std::size_t d = 0; d < shape.directions; ++d) {
        const Weights<T> w{.weight = io.input<T>(1) + d * rows * shape.input,
                           .recurrent_weight = io.input<T>(2) + d * rows * shape.hidden,
                           .bias = part_of<T>(io, bias, d, rows),
                           .recurrent_bias = part_of<T>(io, recurrent_bias, d, rows)};
        const T* initial = part_of<T>(io, state, d, shape.state());
        for (std::size_t i = 0; i < shape.state(); ++i) {
            before[i] = initial == nullptr ? T{} : initial[i];
        }
        for (std::size_t turn = 0; turn < shape.steps; ++turn) {
            const std::size_t t = shape.step(d, turn);
            for (std::size_t n = 0; n < shape.batch; ++n) {
                const std::size_t at = n * shape.hidden;
                step(w, io.input<T>(0) + (t * shape.batch + n) * shape.input, before + at,
                     gated + at, after + at);
            }
            if (return_sequence) {
                std::copy_n(after, shape.state(),
                            io.output<T>(1) + (t * shape.directions + d) * shape.state());
            }
            std::swap(before, after);
        }
        std::copy_n(before, shape.state(), io.output<T>(0) + d * shape.state());
    }
}

// A kernel for a node whose input is x.
[[nodiscard]] inline Result<std::unique_ptr<runtime::Kernel>> make_gru(graph::DataType type,
                                                                       const GruKernel& gru) {
    SLUICE_TRY(require_float(type));
    return make_kernel(
        [=](const runtime::KernelIo& io) {
            visit_float(type, [&]<typename T>(std::type_identity<T>) { gru.run<T>(io); });
        },
        gru.scratch_bytes<float>());
}

} // namespace sluice::reference
