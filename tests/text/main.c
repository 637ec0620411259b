/* main.c - runs the tests of src/text, a group a file. */
#include "test_text.h"

int main(void)
{
    return test_utf8() + test_tokenizer() + test_bad_files() + test_prompt() + test_find() + test_pattern() +
           test_sentencepiece();
}
