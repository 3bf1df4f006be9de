// SPDX-License-Identifier: Apache-2.0
// Inference of the normalisations and the recurrent networks.
#include <array>

#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

TEST(Infer, batch_normalization) {
    const BatchNormalization plain;
    const BatchNormalization full{.axis = 3, .has_scale = true, .has_bias = true};
    check(std::to_array<Row>({
        {plain, {"float32[2,3,4]", "float32[3]", "float32[3]"}, "float32[2,3,4]"},
        {full,
         {"float16[2,4,5,3]", "float16[3]", "float16[3]", "float16[3]", "float16[3]"},
         "float16[2,4,5,3]"},
        {plain,
         {"float32[2]", "float32[3]", "float32[3]"},
         "!axis 1 is out of range for float32[2] of rank 1"},
        {plain,
         {"int32[2,3]", "int32[3]", "int32[3]"},
         "!input has type int32, only float32 and float16 are allowed"},
        {plain, {"float32[2,3]", "float32[2]", "float32[3]"}, "!mean has shape [2], not [3]"},
        {plain,
         {"float32[2,3]", "float32[3]", "float16[3]"},
         "!variance has type float16 but input has type float32"},
        {plain,
         {"float32[2,3]", "float32[3]", "float32[3,1]"},
         "!variance float32[3,1] has rank 2, not 1"},
        {full,
         {"float32[2,4,5,3]", "float32[3]", "float32[3]", "float32[1]", "float32[3]"},
         "!scale has shape [1], not [3]"},
        {full,
         {"float32[2,4,5,3]", "float32[3]", "float32[3]", "float32[3]", "float32[5]"},
         "!bias has shape [5], not [3]"},
        {plain, {"float32[2,3]", "float32[3]"}, "!2 operands given where 3 are needed"},
    }));
}

TEST(Infer, instance_and_layer_normalization) {
    const InstanceNormalization nhwc{
        .layout = InputLayout::Nhwc, .has_scale = true, .has_bias = true};
    const LayerNormalization layer{.axes = {2, 0}, .has_scale = true, .has_bias = true};
    check(std::to_array<Row>({
        {InstanceNormalization{}, {"float32[1,2,3,4]"}, "float32[1,2,3,4]"},
        {nhwc, {"float16[1,3,4,2]", "float16[2]", "float16[2]"}, "float16[1,3,4,2]"},
        {InstanceNormalization{}, {"float32[2,3,4]"}, "!input float32[2,3,4] has rank 3, not 4"},
        {nhwc, {"float32[1,3,4,2]", "float32[3]", "float32[2]"}, "!scale has shape [3], not [2]"},
        {LayerNormalization{}, {"float32[]"}, "float32[]"},
        {layer, {"float32[2,3,4]", "float32[4,2]", "float32[4,2]"}, "float32[2,3,4]"},
        {layer,
         {"float32[2,3,4]", "float32[4,2]", "float32[2,4]"},
         "!bias has shape [2,4], but the axes have the dimensions [4,2]"},
        {layer,
         {"float32[2,3,4]", "float16[4,2]", "float32[4,2]"},
         "!scale has type float16 but input has type float32"},
        {LayerNormalization{.axes = {1, 1}}, {"float32[2,3]"}, "!axis 1 is given twice"},
        {LayerNormalization{.axes = {2}},
         {"float32[2,3]"},
         "!axis 2 is out of range for float32[2,3] of rank 2"},
    }));
}

TEST(Infer, gru) {
    const Gru plain{.steps = 2, .hidden_size = 5};
    const Gru full{.steps = 2,
                   .hidden_size = 5,
                   .return_sequence = true,
                   .direction = Direction::Both,
                   .has_bias = true,
                   .has_recurrent_bias = true,
                   .has_initial_hidden_state = true};
    check(std::to_array<Row>({
        {plain, {"float32[2,3,4]", "float32[1,15,4]", "float32[1,15,5]"}, "float32[1,3,5]"},
        {full,
         {"float16[2,3,4]", "float16[2,15,4]", "float16[2,15,5]", "float16[2,15]", "float16[2,15]",
          "float16[2,3,5]"},
         "float16[2,3,5] float16[2,2,3,5]"},
        {plain,
         {"float32[3,3,4]", "float32[1,15,4]", "float32[1,15,5]"},
         "!2 steps given for an input of float32[3,3,4]"},
        {Gru{.steps = 2},
         {"float32[2,3,4]", "float32[1,15,4]", "float32[1,15,5]"},
         "!hidden size 0 is not within 1..1431655765"},
        {Gru{.steps = 2, .hidden_size = 0xFFFFFFFF},
         {"float32[2,3,4]", "float32[1,15,4]", "float32[1,15,5]"},
         "!hidden size 4294967295 is not within 1..1431655765"},
        {plain,
         {"float32[2,3,4]", "float32[1,15,5]", "float32[1,15,5]"},
         "!weight has shape [1,15,5], not [1,15,4]"},
        {plain,
         {"float32[2,3,4]", "float32[1,15,4]", "float32[2,15,5]"},
         "!recurrent weight has shape [2,15,5], not [1,15,5]"},
        {plain,
         {"float32[2,3]", "float32[1,15,4]", "float32[1,15,5]"},
         "!input float32[2,3] has rank 2, not 3"},
        {full,
         {"float32[2,3,4]", "float32[2,15,4]", "float32[2,15,5]", "float32[2,15]", "float32[2,15]",
          "float16[2,3,5]"},
         "!initial hidden state has type float16 but input has type float32"},
        {full,
         {"float32[2,3,4]", "float32[2,15,4]", "float32[2,15,5]"},
         "!3 operands given where 6 are needed"},
    }));
}

TEST(Infer, lstm) {
    const Lstm plain{.steps = 2, .hidden_size = 5};
    const Lstm peephole{.steps = 2, .hidden_size = 5, .has_peephole_weight = true};
    const Lstm sequence{
        .steps = 2, .hidden_size = 5, .return_sequence = true, .has_initial_cell_state = true};
    check(std::to_array<Row>({
        {plain,
         {"float32[2,3,4]", "float32[1,20,4]", "float32[1,20,5]"},
         "float32[1,3,5] float32[1,3,5]"},
        {sequence,
         {"float32[2,3,4]", "float32[1,20,4]", "float32[1,20,5]", "float32[1,3,5]"},
         "float32[1,3,5] float32[1,3,5] float32[2,1,3,5]"},
        {peephole,
         {"float32[2,3,4]", "float32[1,20,4]", "float32[1,20,5]", "float32[1,20]"},
         "!peephole weight has shape [1,20], not [1,15]"},
        {sequence,
         {"float32[2,3,4]", "float32[1,20,4]", "float32[1,20,5]", "float32[1,3,4]"},
         "!initial cell state has shape [1,3,4], not [1,3,5]"},
        {plain,
         {"int8[2,3,4]", "int8[1,20,4]", "int8[1,20,5]"},
         "!input has type int8, only float32 and float16 are allowed"},
        {Lstm{.steps = 0, .hidden_size = 5},
         {"float32[2,3,4]", "float32[1,20,4]", "float32[1,20,5]"},
         "!0 steps given for an input of float32[2,3,4]"},
    }));
}

TEST(Infer, cells) {
    const GruCell gru{.hidden_size = 5, .has_recurrent_bias = true};
    const LstmCell lstm{.hidden_size = 5, .has_bias = true};
    check(std::to_array<Row>({
        {gru,
         {"float32[3,4]", "float32[15,4]", "float32[15,5]", "float32[3,5]", "float32[15]"},
         "float32[3,5]"},
        {gru,
         {"float32[3,4]", "float32[15,4]", "float32[15,5]", "float32[3,4]", "float32[15]"},
         "!hidden state has shape [3,4], not [3,5]"},
        {gru,
         {"float32[3,4]", "float32[15,4]", "float32[15,5]", "float32[3,5]", "float32[5]"},
         "!recurrent bias has shape [5], not [15]"},
        {lstm,
         {"float16[3,4]", "float16[20,4]", "float16[20,5]", "float16[3,5]", "float16[3,5]",
          "float16[20]"},
         "float16[3,5] float16[3,5]"},
        {lstm,
         {"float16[3,4]", "float16[20,4]", "float16[20,5]", "float16[3,5]", "float16[3,4]",
          "float16[20]"},
         "!cell state has shape [3,4], not [3,5]"},
        {lstm,
         {"float16[3,4]", "float16[20,4]", "float16[20,5]", "float16[3,5]"},
         "!4 operands given where 6 are needed"},
    }));
}

TEST(Describe, networks_leave_defaults_out) {
    EXPECT_EQ(describe(Attributes(BatchNormalization{})), "");
    EXPECT_EQ(describe(Attributes(InstanceNormalization{.layout = InputLayout::Nhwc})), "nhwc");
    EXPECT_EQ(describe(Attributes(LayerNormalization{.axes = {1}, .has_bias = true})),
              "axes=[1] bias");
    EXPECT_EQ(describe(Attributes(Gru{.steps = 2, .hidden_size = 3})), "steps=2 hidden_size=3");
    EXPECT_EQ(describe(Attributes(
                  Lstm{.steps = 2,
                       .hidden_size = 3,
                       .direction = Direction::Both,
                       .layout = LstmLayout::Ifgo,
                       .activations = {RecurrentActivation::Relu, RecurrentActivation::Tanh,
                                       RecurrentActivation::Sigmoid}})),
              "steps=2 hidden_size=3 direction=both ifgo activations=relu,tanh,sigmoid");
    EXPECT_EQ(describe(Attributes(GruCell{.hidden_size = 3, .reset_after = false})),
              "hidden_size=3 reset_before");
    EXPECT_EQ(describe(Attributes(Triangular{.upper = false, .diagonal = -2})),
              "lower diagonal=-2");
}

} // namespace
} // namespace sluice::ops
