/* scene_words.h - a prompt of 12 positions whose groups are made by hand, without tokenizer or picture.
 *
 *     0 1 2345 6 78 9 10 11      positions
 *     . . IIII . QQ .  .  L      Image (Image Central Object: 3 and 4), Question, Last; no options, no noun */
#ifndef CF_TESTS_SCENE_WORDS_H
#define CF_TESTS_SCENE_WORDS_H

#include "knockout/parts.h"

enum { SCENE_LENGTH = 12 };

typedef struct scene_words {
    cf_groups groups;
    cf_scene scene; /* borrows groups: the struct stays where it was made */
} scene_words;

void scene_make(scene_words *s);
void scene_drop(scene_words *s);

/* The parts of a flow, as it is written, in the scene; draws with seed 1, row 0, repeat 0. n_heads is 70. */
cf_parts scene_parts(const char *flow, int32_t n_after);
cf_parts scene_draw(const char *flow, int32_t n_after, const cf_draw *draw);

#endif
