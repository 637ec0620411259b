/* llava_weights.h - the weights of a LLaVA-1.5 forward pass, written down independently of the library: canonical
 * names, shapes and values; and tiny checkpoint folders made of them, in any layout of names. */
#ifndef CF_TESTS_LLAVA_WEIGHTS_H
#define CF_TESTS_LLAVA_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checkpoint/config.h"
#include "tensor/tensor.h"

enum { LLAVA_MAX_WEIGHTS = 512 };

typedef struct llava_weight {
    char name[160];
    int32_t rank;
    int64_t shape[CF_MAX_RANK];
} llava_weight;

/* Fills out[], returns how many. */
size_t llava_weights(llava_weight out[LLAVA_MAX_WEIGHTS], const cf_config *c);
/* Element i of weight k in the tiny folders: exact in every dtype. */
float llava_value(size_t k, int64_t i);

typedef struct llava_layout {
    const char *name;
    const char *decoder, *head, *linear_1, *linear_2, *tower; /* what stands for the canonical prefix */
    bool fused; /* q, k and v as the rows of one matrix, gate and up as those of another */
} llava_layout;

/* The layouts of names that are in circulation, and two with fused matrices. */
enum { LLAVA_N_LAYOUTS = 8 };
const llava_layout *llava_layout_at(size_t i);

/* config.json of the tiny model. */
const char *llava_tiny_config(void);
/* Writes config.json and the weights; n_shards 0 is one file. */
void llava_tiny_write(const char *dir, const llava_layout *layout, cf_dtype dtype, size_t n_shards);

#endif
