// SPDX-License-Identifier: Apache-2.0
// Sums of products whose roundings are summed beside them: the result errs by about one rounding.

// `rest` is what `sum` has lost so far (Ogita, Rump, Oishi: Accurate sum and dot product, 2005).
void add_product(inout float sum, inout float rest, float a, float b) {
    precise const float product = a * b;
    precise const float product_rest = fma(a, b, -product);
    precise const float next = sum + product;
    precise const float added = next - sum;
    precise const float sum_rest = (sum - (next - added)) + (product - added);
    rest += sum_rest + product_rest;
    sum = next;
}
