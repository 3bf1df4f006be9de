// SPDX-License-Identifier: Apache-2.0
// The words of `indices`: int32, uint32 or int64 by the constant kIndexType, numbered as
// graph::DataType.
const uint kIndexUint32 = 3, kIndexInt64 = 4;

// The element that index `i` means on an axis of `size` elements: negative ones count from the end,
// those out of range become the first or the last.
uint read_index(uint i, uint size) {
    const uint word = kIndexType == kIndexInt64 ? i * 2 : i;
    const uint low = indices[word];
    bool negative = kIndexType != kIndexUint32 && (low >> 31) != 0;
    bool fits = kIndexType != kIndexUint32 || (low >> 31) == 0; // an int has the value
    if (kIndexType == kIndexInt64) {
        const uint high = indices[word + 1];
        negative = (high >> 31) != 0;
        fits = high == uint(int(low) >> 31);
    }
    if (!fits) {
        return negative ? 0 : size - 1;
    }
    const int last = int(size) - 1;
    const int value = int(low);
    return uint(value < 0 ? max(value + last + 1, 0) : min(value, last));
}
