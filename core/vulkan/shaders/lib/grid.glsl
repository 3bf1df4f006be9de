// SPDX-License-Identifier: Apache-2.0
// Walks all elements of a tensor without a division per element: x and y are its two innermost axes,
// z counts the others. Loops where the grid is smaller than the tensor. Needs `shape`, innermost axis
// first, and `outer`, the product of the axes from the third on, in a push constant block named `p`.
#define FOR_EACH_ELEMENT(x, y, z)                                                                  \
    for (uint z = gl_WorkGroupID.z; z < p.outer; z += gl_NumWorkGroups.z)                          \
        for (uint y = gl_GlobalInvocationID.y; y < p.shape[1];                                     \
             y += gl_NumWorkGroups.y * gl_WorkGroupSize.y)                                         \
            for (uint x = gl_GlobalInvocationID.x; x < p.shape[0];                                 \
                 x += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
