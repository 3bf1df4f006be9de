// SPDX-License-Identifier: Apache-2.0
// The matrix that a convolution of one group multiplies: a row an output pixel, its columns the taps
// and their channels. `plane` counts products of pictures of one size, one behind the other. Needs lib/convolution.glsl and the constant kPointwise; set `depth` and
// `pixels` first.
uint depth;  // of the whole product
uint pixels; // of all pictures
uint plane = 0;

// Elements depth_at .. depth_at + 3 of the matrix' row `pixel`.
vec4 load_row(uint pixel, uint depth_at) {
    vec4 values = vec4(0.0);
    if (pixel >= pixels) {
        return values;
    }
    const uint column = pixel % p.out_width;
    const uint row = pixel / p.out_width % p.out_height;
    const uint n = pixel / (p.out_width * p.out_height);
    for (uint i = 0; i < 4; ++i) {
        const uint k = depth_at + i;
        if (k >= depth) {
            break;
        }
        uint place = (plane * pixels + pixel) * p.in_channels + k;
        if (!kPointwise) {
            const uint tap = k / p.in_channels;
            const int iy = int(row) * p.stride_y + int(tap / p.kernel_width) * p.dilation_y - p.top;
            const int ix =
                int(column) * p.stride_x + int(tap % p.kernel_width) * p.dilation_x - p.left;
            if (uint(iy) >= p.in_height || uint(ix) >= p.in_width) {
                if (kVectorInput) {
                    break;
                }
                continue;
            }
            place = ((n * p.in_height + uint(iy)) * p.in_width + uint(ix)) * p.in_channels +
                    k % p.in_channels;
        }
        if (kVectorInput) { // four channels of one pixel
            return vec4(x_vectors[place / 4]);
        }
        values[i] = float(x_scalars[place]);
    }
    return values;
}
