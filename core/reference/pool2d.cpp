// SPDX-License-Identifier: Apache-2.0
// Average, L2 and maximum pooling; padding counts in none of them.
#include "core/ops/pool2d.h"

#include <array>
#include <cmath>
#include <utility>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

struct PoolGeometry {
    ops::Pool2d op; // with the window's true size
    Picture x;
    Picture y;
};

// Calls body with every element that the window at `at` covers.
template <typename T, typename Body>
void for_each_covered(const PoolGeometry& g, const T* x, std::array<std::size_t, 4> at,
                      Body&& body) {
    const auto [n, c, oy, ox] = at;
    for (std::size_t ky = 0; ky < g.op.window[0]; ++ky) {
        const std::size_t iy =
            unpadded(oy * g.op.strides[0] + ky * g.op.dilations[0], g.op.padding[0]);
        for (std::size_t kx = 0; kx < g.op.window[1] && iy < g.x.height; ++kx) {
            const std::size_t ix =
                unpadded(ox * g.op.strides[1] + kx * g.op.dilations[1], g.op.padding[2]);
            if (ix < g.x.width) {
                body(widen(x[g.x.at(n, c, iy, ix)]));
            }
        }
    }
}

// A window that lies wholly in the padding gives 0.
template <typename T>
T pool(const PoolGeometry& g, const T* x, std::array<std::size_t, 4> at) {
    if (g.op.kind == ops::PoolKind::Max) {
        Wide<T> best = 0;
        bool first = true;
        for_each_covered(g, x, at, [&](Wide<T> value) {
            // A NaN wins and stays.
            if (first || value > best || is_nan(value)) {
                best = value;
            }
            first = false;
        });
        return narrow<T>(best);
    }
    double sum = 0.0;
    double count = 0.0;
    for_each_covered(g, x, at, [&](Wide<T> wide) {
        const auto value = static_cast<double>(wide);
        sum += g.op.kind == ops::PoolKind::L2 ? value * value : value;
        count += 1.0;
    });
    if (g.op.kind == ops::PoolKind::L2) {
        return from_double<T>(std::sqrt(sum));
    }
    return from_double<T>(count > 0.0 ? sum / count : 0.0);
}

template <typename T>
void run(const PoolGeometry& g, const runtime::KernelIo& io) {
    for (std::size_t n = 0; n < g.y.batches; ++n) {
        for (std::size_t c = 0; c < g.y.channels; ++c) {
            for (std::size_t oy = 0; oy < g.y.height; ++oy) {
                for (std::size_t ox = 0; ox < g.y.width; ++ox) {
                    io.output<T>(0)[g.y.at(n, c, oy, ox)] = pool(g, io.input<T>(0), {n, c, oy, ox});
                }
            }
        }
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_pool2d(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto op = std::get<ops::Pool2d>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    PoolGeometry geometry{.op = op,
                          .x = picture(x.shape(), op.layout),
                          .y = picture(graph.desc(node.outputs[0]).shape(), op.layout)};
    if (op.kind != ops::PoolKind::Max) {
        SLUICE_TRY(require_float(x.type()));
    }
    if (op.window == std::array<std::uint32_t, 2>{0, 0}) {
        geometry.op.window = {static_cast<std::uint32_t>(geometry.x.height),
                              static_cast<std::uint32_t>(geometry.x.width)};
    }
    return make_kernel([geometry, type = x.type()](const runtime::KernelIo& io) {
        visit_type(type, [&]<typename T>(std::type_identity<T>) { run<T>(geometry, io); });
    });
}

} // namespace sluice::reference
