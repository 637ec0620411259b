/* main.c - runs the tests of src/checkpoint, a group a file. */
#include "test_checkpoint.h"

int main(void)
{
    return test_safetensors() + test_zip() + test_pickle() + test_torch_zip() + test_config() + test_config_original() +
           test_folder() + test_bad_folder() + test_vision_tower() + test_golden() + test_hash() + test_hub();
}
