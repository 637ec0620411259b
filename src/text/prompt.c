/* prompt.c - prompt templates, and a template with its question as token ids.
 *
 * "llava_hf_1.5" is the prompt that the Hugging Face conversions of LLaVA-1.5 document. "vicuna_v1" is conversation
 * "vicuna_v1" of the LLaVA project (llava/conversation.py, separators " " and "</s>"), as the published knockout
 * scripts fill it. */
#include "text/prompt.h"

#include <string.h>

#define TASK "<image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:"

static const cf_prompt_preset presets[] = {
    {"llava_hf_1.5", "USER: " TASK, "LLaVA-1.5 as converted by Hugging Face: no system sentence"},
    {"vicuna_v1",
     "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
     "and polite answers to "
     "the user's questions. USER: " TASK,
     "LLaVA-1.5 in the published scripts: Vicuna's system sentence first"},
};

const cf_prompt_preset *cf_prompt_presets(size_t *n)
{
    *n = sizeof presets / sizeof presets[0];
    return presets;
}

const char *cf_prompt_preset_text(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i].name, name) == 0)
            return presets[i].text;
    return NULL;
}

void cf_prompt_deinit(cf_prompt *p)
{
    cf_ids_deinit(&p->ids);
    *p = (cf_prompt){0};
}

/* Where the only occurrence of a placeholder stands. */
static cf_status find_once(size_t *at, cf_slice text, const char *placeholder, cf_error *err)
{
    const int64_t first = cf_slice_find(text, cf_slice_of(placeholder), 0);
    if (first < 0 || cf_slice_find(text, cf_slice_of(placeholder), (size_t)first + 1) >= 0)
        return cf_fail(err, CF_MISMATCH, "prompt template \"%.*s\": expected %s once, found it %s", (int)text.n,
                       text.data, placeholder, first < 0 ? "nowhere" : "again");
    *at = (size_t)first;
    return CF_OK;
}

/* The texts before and after <image>, with the question in its place. */
static cf_status fill(cf_str *before, cf_str *after, const char *template_text, cf_slice question, cf_error *err)
{
    static const char image_mark[] = "<image>", question_mark[] = "{question}";
    const size_t image_n = sizeof image_mark - 1, question_n = sizeof question_mark - 1;
    const cf_slice text = cf_slice_of(template_text);
    cf_status st = CF_OK;
    size_t image = 0, q = 0;
    CF_TRY(find_once(&image, text, image_mark, err));
    CF_TRY(find_once(&q, text, question_mark, err));
    if (cf_slice_find(question, cf_slice_of(image_mark), 0) >= 0) {
        st = cf_fail(err, CF_MISMATCH, "question \"%.*s\": it holds %s itself", (int)question.n, question.data,
                     image_mark);
        goto done;
    }
    cf_str *asked = q < image ? before : after;
    const size_t begin = q < image ? 0 : image + image_n;
    const size_t end = q < image ? image : text.n;
    if (q >= image)
        CF_TRY(cf_str_add(before, (cf_slice){text.data, image}, err));
    CF_TRY(cf_str_add(asked, (cf_slice){text.data + begin, q - begin}, err));
    CF_TRY(cf_str_add(asked, question, err));
    CF_TRY(cf_str_add(asked, (cf_slice){text.data + q + question_n, end - q - question_n}, err));
    if (q < image)
        CF_TRY(cf_str_add(after, (cf_slice){text.data + image + image_n, text.n - image - image_n}, err));
done:
    return st;
}

static cf_status encode(cf_ids *out, const cf_tokenizer *t, int32_t image_token_id, cf_str *before, const cf_str *after,
                        bool hf, cf_error *err)
{
    cf_status st = CF_OK;
    if (hf) {
        CF_TRY(cf_str_add_text(before, "<image>", err));
        CF_TRY(cf_str_add(before, cf_str_slice(after), err));
        CF_TRY(cf_tokenizer_encode(out, t, cf_str_slice(before), true, err));
    } else {
        CF_TRY(cf_tokenizer_encode(out, t, cf_str_slice(before), true, err));
        CF_TRY(cf_ids_add(out, image_token_id, err));
        CF_TRY(cf_tokenizer_encode(out, t, cf_str_slice(after), false, err));
    }
done:
    return st;
}

cf_status cf_prompt_create(cf_prompt *out, const cf_tokenizer *t, int32_t image_token_id, const char *template_text,
                           cf_slice question, bool hf, cf_error *err)
{
    cf_status st = CF_OK;
    cf_prompt p = {0};
    cf_str before = {0}, after = {0};
    size_t n_images = 0;
    CF_TRY(fill(&before, &after, template_text, question, err));
    CF_TRY(encode(&p.ids, t, image_token_id, &before, &after, hf, err));
    for (size_t i = 0; i < p.ids.n; i++)
        if (p.ids.items[i] == image_token_id) {
            p.image_index = (int32_t)i;
            n_images++;
        }
    if (n_images != 1) {
        st =
            cf_fail(err, CF_MISMATCH, "prompt with question \"%.*s\": expected image token %d once, found it %zu times",
                    (int)question.n, question.n ? question.data : "", image_token_id, n_images);
        goto done;
    }
    cf_prompt_deinit(out);
    *out = p;
    p = (cf_prompt){0};
done:
    cf_prompt_deinit(&p);
    cf_str_deinit(&before);
    cf_str_deinit(&after);
    return st;
}
