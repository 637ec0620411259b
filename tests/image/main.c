/* main.c - runs the tests of src/image, a group a file. */
#include "test_image.h"

int main(void)
{
    return test_decode() + test_resize() + test_fit() + test_boxes() + test_config() + test_tiling() +
           test_patch_area();
}
