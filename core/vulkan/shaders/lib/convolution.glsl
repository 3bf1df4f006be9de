// SPDX-License-Identifier: Apache-2.0
// What all convolutions share: the buffers, the geometry and the epilogue. Pictures are NHWC.
//
// Output channels are taken in blocks of four. The filter is packed as [block][row][column][input
// channel of the group][4], each group's last block padded with zeros, so that a block's weights
// for one input channel are one vector. The bias is packed in the same blocks.
#include "float.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kActivation = 0;
layout(constant_id = 2) const bool kVectorInput = false;  // channels per group: a multiple of 4
layout(constant_id = 3) const bool kVectorOutput = false; // the same of the output
layout(constant_id = 4) const bool kResidual = false;

layout(binding = 0) readonly buffer X { SCALAR x_scalars[]; };
layout(binding = 0) readonly buffer XVectors { VECTOR x_vectors[]; };
layout(binding = 1) readonly buffer Filter { VECTOR weights[]; };
layout(binding = 2) readonly buffer Bias { VECTOR bias[]; };
layout(binding = 3) readonly buffer Residual { SCALAR residual[]; };
layout(binding = 4) writeonly buffer Y { SCALAR y_scalars[]; };
layout(binding = 4) writeonly buffer YVectors { VECTOR y_vectors[]; };

layout(push_constant) uniform Push {
    uint batches;
    uint in_height, in_width, in_channels, group_inputs;
    uint out_height, out_width, out_channels, group_outputs;
    uint group_blocks; // blocks of output channels of one group
    uint blocks;       // of all groups
    uint kernel_height, kernel_width;
    int stride_y, stride_x, dilation_y, dilation_x, top, left;
    uint residual_channels;
    float alpha, beta;
} p;

// Adds the residual, applies the activation and stores one block of the output pixel number `pixel`.
void finish_block(uint pixel, uint block, vec4 sum) {
    const uint group = block / p.group_blocks;
    const uint within = (block - group * p.group_blocks) * 4;
    const uint channel = group * p.group_outputs + within;
    const uint count = min(4u, p.group_outputs - within);
    if (kResidual) {
        for (uint i = 0; i < 4; ++i) {
            if (i < count && channel + i < p.residual_channels) {
                sum[i] += float(residual[pixel * p.residual_channels + channel + i]);
            }
        }
    }
    for (uint i = 0; i < 4; ++i) {
        sum[i] = activate(kActivation, sum[i], p.alpha, p.beta);
    }
    const uint place = pixel * p.out_channels + channel;
    if (kVectorOutput) {
        y_vectors[place / 4] = VECTOR(sum);
        return;
    }
    for (uint i = 0; i < 4; ++i) {
        if (i < count) {
            y_scalars[place + i] = SCALAR(sum[i]);
        }
    }
}
