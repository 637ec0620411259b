/* sentencepiece.c - a tokenizer.model: SentencePiece's ModelProto with a BPE model (sentencepiece_model.proto), as
 * transformers 5.17.0 converts it for LlamaTokenizer.
 *
 * The conversion does not read the scores: a piece's place among the pieces is its rank, which is the same where scores
 * fall from piece to piece, as in every model that SentencePiece trains. What it would read otherwise than SentencePiece
 * does is refused: scores that do not fall, a normalisation table, blanks joined, no blank put in front, pieces that are
 * unused. Fields of the trainer's settings that do not change an encoding are passed over. */
#include "text/text_internal.h"

#include <math.h>
#include <string.h>

/* Field numbers and values of sentencepiece_model.proto. */
enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3, MODEL_SELF_TEST = 4, MODEL_DENORMALIZER = 5 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3, TYPE_USER_DEFINED = 4, TYPE_BYTE = 6 };
enum { TRAINER_MODEL_TYPE = 3, TRAINER_SUFFIX = 24, TRAINER_BYTE_FALLBACK = 35, TRAINER_BOS = 41, TRAINER_EOS = 42 };
enum {
    NORMALIZER_NAME = 1,
    NORMALIZER_TABLE = 2,
    NORMALIZER_PREFIX = 3,
    NORMALIZER_JOIN = 4,
    NORMALIZER_ESCAPE = 5,
    NORMALIZER_RULES = 6
};
enum { MODEL_TYPE_UNIGRAM = 1, MODEL_TYPE_BPE = 2 };

/* Every piece is looked through for the pieces it is made of; in use are up to 48 bytes (16 blanks). */
enum { MAX_PIECE_BYTES = 512 };

typedef struct piece {
    cf_slice text;
    uint64_t type;
    float score;
} piece;

typedef struct model_proto { /* with the defaults of the format */
    uint64_t model_type;
    int64_t bos_id, eos_id;
    bool byte_fallback, suffix;
    bool table, prefix, join, escape;
    float last_score; /* of the last normal piece */
    bool shuffled;    /* some score is not below the one before */
} model_proto;

static cf_status unexpected(cf_error *err, const char *where, const char *message, uint32_t number)
{
    return cf_fail(err, CF_UNSUPPORTED, "%s: field %u of %s is not one that crossflow knows", where, number, message);
}

static cf_wire wire_of(cf_slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    return (cf_wire){at, at + bytes.n};
}

static float float_of(uint32_t bits)
{
    float f = 0;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* ---- reading ---- */

static cf_status read_piece(piece *out, cf_slice message, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_wire w = wire_of(message);
    cf_wire_field f = {0};
    bool more = false;
    *out = (piece){.type = TYPE_NORMAL};
    for (;;) {
        CF_TRY(cf_wire_next(&more, &f, &w, where, err));
        if (!more)
            break;
        if (f.number == PIECE_TEXT && f.type == CF_WIRE_BYTES)
            out->text = f.bytes;
        else if (f.number == PIECE_TYPE && f.type == CF_WIRE_VARINT)
            out->type = f.value;
        else if (f.number == PIECE_SCORE && f.type == CF_WIRE_FIXED32)
            out->score = float_of((uint32_t)f.value);
        else
            return unexpected(err, where, "a piece", f.number);
    }
    if (!out->text.n || out->text.n > MAX_PIECE_BYTES || !cf_utf8_valid(out->text))
        return cf_fail(err, CF_FORMAT, "%s: a piece of %zu bytes: expected UTF-8 text of 1 to %d", where, out->text.n,
                       MAX_PIECE_BYTES);
    if (out->type < TYPE_NORMAL || out->type > TYPE_BYTE || out->type == TYPE_USER_DEFINED + 1)
        return cf_fail(err, CF_UNSUPPORTED,
                       "%s: piece \"%.*s\" has type %llu (known: normal, unknown, control, "
                       "user defined, byte)",
                       where, (int)out->text.n, out->text.data, (unsigned long long)out->type);
done:
    return st;
}

static cf_status read_trainer(model_proto *m, cf_slice message, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_wire w = wire_of(message);
    cf_wire_field f = {0};
    bool more = false;
    for (;;) {
        CF_TRY(cf_wire_next(&more, &f, &w, where, err));
        if (!more)
            break;
        if (f.type != CF_WIRE_VARINT)
            continue;
        if (f.number == TRAINER_MODEL_TYPE)
            m->model_type = f.value;
        else if (f.number == TRAINER_BYTE_FALLBACK)
            m->byte_fallback = f.value != 0;
        else if (f.number == TRAINER_SUFFIX)
            m->suffix = f.value != 0;
        else if (f.number == TRAINER_BOS)
            m->bos_id = (int32_t)(uint32_t)f.value; /* int32: its sign is in the low half too */
        else if (f.number == TRAINER_EOS)
            m->eos_id = (int32_t)(uint32_t)f.value;
    }
done:
    return st;
}

static cf_status read_normalizer(model_proto *m, cf_slice message, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_wire w = wire_of(message);
    cf_wire_field f = {0};
    bool more = false;
    for (;;) {
        CF_TRY(cf_wire_next(&more, &f, &w, where, err));
        if (!more)
            break;
        if ((f.number == NORMALIZER_TABLE || f.number == NORMALIZER_RULES) && f.type == CF_WIRE_BYTES)
            m->table = m->table || f.bytes.n;
        else if (f.number == NORMALIZER_PREFIX && f.type == CF_WIRE_VARINT)
            m->prefix = f.value != 0;
        else if (f.number == NORMALIZER_JOIN && f.type == CF_WIRE_VARINT)
            m->join = f.value != 0;
        else if (f.number == NORMALIZER_ESCAPE && f.type == CF_WIRE_VARINT)
            m->escape = f.value != 0;
        else if (f.number != NORMALIZER_NAME)
            return unexpected(err, where, "the normalizer's settings", f.number);
    }
done:
    return st;
}

/* Pieces go to the vocabulary as they come; *types is appended the type of each, one byte. */
static cf_status read_model(model_proto *m, cf_vocab *v, cf_str *types, cf_slice model, const char *where,
                            cf_error *err)
{
    cf_status st = CF_OK;
    cf_wire w = wire_of(model);
    cf_wire_field f = {0};
    bool more = false;
    for (;;) {
        CF_TRY(cf_wire_next(&more, &f, &w, where, err));
        if (!more)
            break;
        if (f.type != CF_WIRE_BYTES || f.number > MODEL_DENORMALIZER)
            return unexpected(err, where, "the model", f.number);
        if (f.number == MODEL_TRAINER)
            CF_TRY(read_trainer(m, f.bytes, where, err));
        else if (f.number == MODEL_NORMALIZER)
            CF_TRY(read_normalizer(m, f.bytes, where, err));
        if (f.number != MODEL_PIECES)
            continue;
        piece p = {0};
        CF_TRY(read_piece(&p, f.bytes, where, err));
        if (p.type == TYPE_NORMAL) {
            m->shuffled = m->shuffled || !(p.score < m->last_score);
            m->last_score = p.score;
        }
        const char type = (char)p.type;
        CF_TRY(cf_vocab_add(v, p.text, (int64_t)v->n, where, err));
        v->tokens[v->n - 1].model = true;
        CF_TRY(cf_str_add(types, (cf_slice){&type, 1}, err));
    }
done:
    return st;
}

static cf_status refuse(const model_proto *m, const cf_vocab *v, const char *where, cf_error *err)
{
    const struct {
        bool yes;
        const char *what;
    } faults[] = {
        {!v->n, "without pieces"},
        {m->model_type != MODEL_TYPE_BPE, "that is not BPE"},
        {!m->byte_fallback, "without byte_fallback"},
        {m->shuffled, "whose scores do not fall from piece to piece"},
        {m->suffix, "with treat_whitespace_as_suffix"},
        {m->table, "with a normalisation table"},
        {m->join, "with remove_extra_whitespaces"},
        {!m->prefix, "without add_dummy_prefix"},
        {!m->escape, "without escape_whitespaces"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].yes)
            return cf_fail(err, CF_UNSUPPORTED, "%s: a SentencePiece model %s is not supported", where, faults[i].what);
    return CF_OK;
}

/* ---- the conversion ---- */

/* Tokens that are cut out of a text: what is not a normal piece or a byte, and what tokenizer_config.json adds. */
static cf_status add_tokens(cf_tokenizer *t, const cf_str *types, const cf_json *settings, const char *where,
                            cf_error *err)
{
    cf_status st = CF_OK;
    cf_str content = {0};
    for (size_t id = 0; id < types->n; id++) {
        const char type = types->data[id];
        if (type == TYPE_NORMAL || type == TYPE_BYTE)
            continue;
        cf_str_clear(&content);
        CF_TRY(cf_str_add(&content, cf_vocab_token(&t->vocab, (int32_t)id), err));
        CF_TRY(cf_added_add(&t->raw, &t->vocab, cf_str_slice(&content), (int64_t)id, type != TYPE_USER_DEFINED, where,
                            err));
    }
    const cf_json *more = cf_json_get(settings, "added_tokens_decoder");
    for (const cf_json *a = cf_json_first(more); a; a = cf_json_next(a)) {
        int64_t id = -1;
        cf_str_clear(&content);
        CF_TRY(cf_string_load(&content, a, "content", where, err));
        if (!content.n || !cf_parse_i64(&id, cf_slice_of(cf_json_name(a)))) {
            st = cf_fail(err, CF_FORMAT,
                         "%s: added_tokens_decoder of tokenizer_config.json: an entry without id or "
                         "content",
                         where);
            goto done;
        }
        if (id >= 0 && (size_t)id < t->vocab.n && t->vocab.tokens[id].added &&
            cf_slice_equal(cf_vocab_token(&t->vocab, (int32_t)id), cf_str_slice(&content)))
            continue;
        CF_TRY(cf_added_add(&t->raw, &t->vocab, cf_str_slice(&content), id,
                            cf_json_bool(cf_json_get(a, "special"), false), where, err));
    }
    CF_TRY(cf_added_index(&t->raw, where, err));
done:
    cf_str_deinit(&content);
    return st;
}

/* The parts that LlamaTokenizer gives every model, in the terms of a tokenizer.json. */
static cf_status load_parts(cf_tokenizer *t, const cf_tokenizer_settings *s, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *root = NULL;
    cf_str text = {0};
    CF_TRY(cf_str_addf(&text, err,
                       "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\","
                       "\"prepend_scheme\":\"%s\",\"split\":false},"
                       "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":"
                       "\"\xE2\x96\x81\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}%s]}}",
                       !s->add_prefix_space ? "never"
                       : s->legacy          ? "always"
                                            : "first",
                       s->add_prefix_space ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" : ""));
    CF_TRY(cf_json_parse(&root, cf_str_slice(&text), where, err));
    CF_TRY(cf_pre_tokenizer_load(&t->pre, cf_json_get(root, "pre_tokenizer"), where, err));
    CF_TRY(cf_decoder_load(&t->decoder, cf_json_get(root, "decoder"), where, err));
done:
    cf_json_free(root);
    cf_str_deinit(&text);
    return st;
}

/* A token that stands before or after every text. */
static cf_status add_end(cf_ids *out, bool wanted, int64_t id, const cf_vocab *v, const char *name, const char *where,
                         cf_error *err)
{
    if (!wanted)
        return CF_OK;
    if (id < 0 || id > INT32_MAX || !cf_vocab_has(v, (int32_t)id))
        return cf_fail(err, CF_MISMATCH, "%s: %s is %lld, which is no piece", where, name, (long long)id);
    return cf_ids_add(out, (int32_t)id, err);
}

cf_status cf_sentencepiece_load(cf_tokenizer *t, cf_slice model, const cf_tokenizer_settings *s, const char *where,
                                cf_error *err)
{
    cf_status st = CF_OK;
    cf_str types = {0};
    model_proto m = {.model_type = MODEL_TYPE_UNIGRAM,
                     .bos_id = 1,
                     .eos_id = 2,
                     .prefix = true,
                     .join = true,
                     .escape = true,
                     .last_score = INFINITY};
    t->bos = -1;
    CF_TRY(read_model(&m, &t->vocab, &types, model, where, err));
    CF_TRY(refuse(&m, &t->vocab, where, err));
    CF_TRY(cf_bpe_of_pieces(&t->bpe, &t->vocab, where, err));
    CF_TRY(add_tokens(t, &types, s->root, where, err));
    CF_TRY(load_parts(t, s, where, err));
    CF_TRY(add_end(&t->post.before, s->add_bos, m.bos_id, &t->vocab, "bos_id", where, err));
    CF_TRY(add_end(&t->post.after, s->add_eos, m.eos_id, &t->vocab, "eos_id", where, err));
    if (m.bos_id >= 0 && m.bos_id <= INT32_MAX && cf_vocab_has(&t->vocab, (int32_t)m.bos_id))
        t->bos = (int32_t)m.bos_id;
done:
    cf_str_deinit(&types);
    return st;
}
