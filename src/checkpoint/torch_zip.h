/* torch_zip.h - the format of pytorch_model.bin for weight_file.h: a zip archive as torch.save has written it since
 * torch 1.6, with a pickle that names the tensors and a member for each storage. Folder-private. */
#ifndef CF_CHECKPOINT_TORCH_ZIP_H
#define CF_CHECKPOINT_TORCH_ZIP_H

#include "checkpoint/weight_file.h"

CF_MUST_USE cf_status cf_torch_zip_parse(cf_weight_file *out, const unsigned char *bytes, size_t n, const char *path,
                                         cf_error *err);

#endif
