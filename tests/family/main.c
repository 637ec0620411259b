/* main.c - small checkpoints of every architecture, from the folder to the knocked-out probabilities. */
#include "family_check.h"

int main(void)
{
    return test_checkpoints() + test_original() + test_mistakes() + test_fused();
}
