/* model_options.h - the options of every subcommand that runs a model, as rows of an option table. */
#ifndef CF_CLI_MODEL_OPTIONS_H
#define CF_CLI_MODEL_OPTIONS_H

/* Rows for a cf_option table; r is a cf_runtime_options, threads an int32_t. */
#define CF_MODEL_OPTIONS(r, threads)                                                                                   \
    {"prompt",                                                                                                         \
     0,                                                                                                                \
     CF_OPT_TEXT,                                                                                                      \
     &(r).prompt,                                                                                                      \
     "PRESET|TEXT",                                                                                                    \
     "llava_hf_1.5, llava_hf_vicuna_next, llava_hf_llama3_next,\nllava_hf_mistral_next, vicuna_v1, llava_llama_3, or " \
     "a text with <image> "                                                                                            \
     "and\n{question} (default: the checkpoint's)"},                                                                   \
        {"image-fit",                                                                                                  \
         0,                                                                                                            \
         CF_OPT_TEXT,                                                                                                  \
         &(r).image_fit,                                                                                               \
         "auto|crop|pad|anyres",                                                                                       \
         "how a picture becomes one square or several; auto: as the\ncheckpoint says"},                                \
        {"dtype",                                                                                                      \
         0,                                                                                                            \
         CF_OPT_TEXT,                                                                                                  \
         &(r).dtype,                                                                                                   \
         "auto|f32|bf16|f16",                                                                                          \
         "of matrix products; auto: f32 where the weights fit in half of\nmemory, else bf16; on cuda the "             \
         "checkpoint's own. f16: cuda only"},                                                                          \
        {"device",                                                                                                     \
         0,                                                                                                            \
         CF_OPT_TEXT,                                                                                                  \
         &(r).device,                                                                                                  \
         "cpu|cuda:N|ref",                                                                                             \
         "crossflow info --devices lists them (default cpu); ref: plain loops\nin double, the oracle; slow"},          \
        {"vision-tower",    0,       CF_OPT_TEXT,                                                                      \
         &(r).vision_tower, "MODEL", "of an original LLaVA checkpoint that has none in its folder"},                   \
        {"weights-memory",                                                                                             \
         0,                                                                                                            \
         CF_OPT_COUNT,                                                                                                 \
         &(r).weights_mib,                                                                                             \
         "MIB",                                                                                                        \
         "what weights may take (default: three quarters of memory); layers\nbeyond it are read from the files in "    \
         "every walk"},                                                                                                \
    {                                                                                                                  \
        "threads", 0, CF_OPT_INT, &(threads), "N", "worker threads (default: every core)"                              \
    }

#endif
