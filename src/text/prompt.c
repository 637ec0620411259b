/* prompt.c - prompt templates, and a template with its question as token ids.
 *
 * Where each preset was read:
 *   llava_hf_1.5          the prompt that the Hugging Face conversions of LLaVA-1.5 document.
 *   llava_hf_vicuna_next  the model card of llava-v1.6-vicuna-7b-hf and transformers' conversion script
 *                         (models/llava_next/convert_llava_next_weights_to_hf.py): "human" where vicuna_v1 has "user".
 *   llava_hf_llama3_next  chat_template.json of llama3-llava-next-8b-hf, with the generation prompt. (The conversion
 *                         script verifies with an older text: a system turn, and the user's header token twice.)
 *   llava_hf_mistral_next the model card of llava-v1.6-mistral-7b-hf, and the conversion script.
 *   vicuna_v1             conversation "vicuna_v1" of the LLaVA projects (llava/conversation.py, separators " " and
 *                         "</s>"), as the published knockout scripts fill it (InformationFlow.py).
 *   llava_llama_3         conversation "llava_llama_3" of LLaVA-NeXT through the chat template of
 *                         Meta-Llama-3-8B-Instruct, which begins with begin-of-text; the knockout scripts append " \n".
 *
 * How many begin-of-text tokens llava_llama_3 has depends on the tokenizer that comes with the checkpoint. That of
 * llama3-llava-next-8b was saved from Meta's first upload, whose post-processor adds none: the prompt has one, and
 * tokenizer_image_token takes it for the tokenizer's own and drops the newline after the picture. With Meta's later
 * tokenizer.json, which adds one, there are two and the newline stays. */
#include "text/prompt.h"

#include <string.h>

#define TASK "<image>\n{question} \nAnswer the question using a single word or phrase."
#define HEADER(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"

static const cf_prompt_preset presets[] = {
    {"llava_hf_1.5", "USER: " TASK " ASSISTANT:", "LLaVA-1.5 as converted by Hugging Face: no system sentence", true},
    {"vicuna_v1",
     "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
     "and polite answers to the user's questions. USER: " TASK " ASSISTANT:",
     "LLaVA-1.5 and 1.6 with Vicuna in the published scripts: Vicuna's system sentence first", false},
    {"llava_hf_vicuna_next",
     "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, "
     "and polite answers to the human's questions. USER: " TASK " ASSISTANT:",
     "LLaVA-v1.6-Vicuna as converted by Hugging Face", true},
    {"llava_llama_3",
     "<|begin_of_text|>" HEADER("system") "You are a helpful language and vision assistant. You are able to understand "
                                          "the visual content that the user provides, and assist the user with a "
                                          "variety of tasks using natural language."
                                          "<|eot_id|>" HEADER("user") TASK "<|eot_id|>" HEADER("assistant") " \n",
     "LLaVA-NeXT with Llama-3 in the published scripts: a system turn first, a blank and a newline last", false},
    {"llava_hf_llama3_next", HEADER("user") TASK "<|eot_id|>" HEADER("assistant"),
     "LLaVA-NeXT with Llama-3 as converted by Hugging Face: no system turn", true},
    {"llava_hf_mistral_next", "[INST] " TASK " [/INST]", "LLaVA-v1.6-Mistral as converted by Hugging Face", true},
};

const cf_prompt_preset *cf_prompt_presets(size_t *n)
{
    *n = sizeof presets / sizeof presets[0];
    return presets;
}

const cf_prompt_preset *cf_prompt_preset_named(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (cf_slice_is(cf_slice_of(name), presets[i].name))
            return &presets[i];
    return NULL;
}

const char *cf_prompt_preset_text(const char *name)
{
    const cf_prompt_preset *p = cf_prompt_preset_named(name);
    return p ? p->text : NULL;
}

const cf_prompt_preset *cf_prompt_preset_for(const char *model_type, bool original, bool mistral, const cf_tokenizer *t)
{
    const bool llama3 = cf_tokenizer_id(t, cf_slice_of("<|start_header_id|>")) >= 0;
    if (mistral && !llama3) /* no published script has another */
        return cf_prompt_preset_named("llava_hf_mistral_next");
    if (original)
        return cf_prompt_preset_named(llama3 ? "llava_llama_3" : "vicuna_v1");
    if (llama3)
        return cf_prompt_preset_named("llava_hf_llama3_next");
    return cf_prompt_preset_named(strcmp(model_type, "llava_next") == 0 ? "llava_hf_vicuna_next" : "llava_hf_1.5");
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

/* LLaVA's tokenizer_image_token for one picture. */
static cf_status encode_apart(cf_ids *out, const cf_tokenizer *t, int32_t image_token_id, cf_slice before,
                              cf_slice after, cf_error *err)
{
    cf_status st = CF_OK;
    cf_ids second = {0};
    CF_TRY(cf_tokenizer_encode(out, t, before, true, err));
    const int32_t bos = cf_tokenizer_bos(t);
    const bool drops = bos >= 0 && out->n && out->items[0] == bos;
    CF_TRY(cf_ids_add(out, image_token_id, err));
    CF_TRY(cf_tokenizer_encode(&second, t, after, true, err));
    for (size_t i = drops; i < second.n; i++)
        CF_TRY(cf_ids_add(out, second.items[i], err));
done:
    cf_ids_deinit(&second);
    return st;
}

/* Hugging Face's processor for one picture. */
static cf_status encode_whole(cf_ids *out, const cf_tokenizer *t, cf_str *before, cf_slice after, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(before, "<image>", err));
    CF_TRY(cf_str_add(before, after, err));
    CF_TRY(cf_tokenizer_encode(out, t, cf_str_slice(before), true, err));
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
    if (hf)
        CF_TRY(encode_whole(&p.ids, t, &before, cf_str_slice(&after), err));
    else
        CF_TRY(encode_apart(&p.ids, t, image_token_id, cf_str_slice(&before), cf_str_slice(&after), err));
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
